{
  description = "An init in C, without a libc";

  # Where a copy of simplest-linux is: an address, such as git+file:///home/me/simplest-linux. The name alone stands for what
  # `nix flake lock --override-input simplest-linux DIRECTORY` or `nix registry add simplest-linux DIRECTORY` says.
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
