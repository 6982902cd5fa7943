{
  description = "A Rust crate with tests that need a kernel";

  # Where a copy of simplest-linux is: an address, such as git+file:///home/me/simplest-linux. The name alone stands for what
  # `nix flake lock --override-input simplest-linux DIRECTORY` or `nix registry add simplest-linux DIRECTORY` says.
  inputs.simplest-linux.url = "simplest-linux";

  outputs = { simplest-linux, ... }: {
    # `nix build` makes result/bin/run, and then `cargo test` runs the tests in guests: .cargo/config.toml.
    packages.x86_64-linux.default = simplest-linux.packages.x86_64-linux.run;
    # The same tests for `nix flake check`, with a pinned Rust. `target = "x86_64"` runs them in QEMU.
    checks.x86_64-linux.test = simplest-linux.lib.x86_64-linux.mkRustTest { src = ./.; };
    # cargo and rustc for `nix develop`.
    devShells.x86_64-linux.default = simplest-linux.devShells.x86_64-linux.default;
  };
}
