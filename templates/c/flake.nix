{
  description = "An init in C, without a libc";

  # Where your copy of simplest-linux is, or what `nix registry add simplest-linux URL` says.
  inputs.simplest-linux.url = "simplest-linux";

  outputs = { simplest-linux, ... }:
    let
      lib = simplest-linux.lib.x86_64-linux;
      system = lib.mkSystem {
        kernel = lib.mkKernel { };
        initramfs = lib.mkInitramfs { init = lib.mkCInit { src = ./init.c; }; };
        expect = "Hello from C!";
      };
    in
    {
      packages.x86_64-linux = { default = system.boot; inherit (system) boot image initramfs; };
      checks.x86_64-linux.boot = system.check;
    };
}
