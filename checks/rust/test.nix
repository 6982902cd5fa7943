# The workspace's own tests pass, including those that need more than a Rust toolchain and strace. Each package is tested
# separately, together with the members that it is made of, so that a change of one does not test the others again.
{ linux, rust, toolchain, repositoryFiles }:
toolchain.run "test"
{
  tested = map
    (name: rust.check "test-${name}" {
      src = repositoryFiles name (rust.filesOf name);
      tools = [ toolchain.check toolchain.peers toolchain.qemu rust.threecpio ];
      # Linux for the test of boot's tables of messages. --workspace, as in nix/rust/workspace.nix; of the others there is nothing to be tested.
      script = ''
        export LINUX=${linux.tree}
        cargo test --release --locked --workspace -- --include-ignored
        touch $out
      '';
    })
    rust.roots;
}
  (builtins.toFile "test.sh" "touch $out")
