# The templates of `nix flake init -t`. Each is a flake with a system that this flake's library makes. checks/boot/templates.nix boots them.
let
  templates = {
    no_std = {
      path = ./no_std;
      description = "An init in Rust without std, its kernel, and a check that boots them";
    };
    std = {
      path = ./std;
      description = "An ordinary Rust program as PID 1, with its libraries in the initramfs, and a check that boots it";
    };
    c = {
      path = ./c;
      description = "An init in C with the kernel's nolibc, and a check that boots it";
    };
  };
in
templates // { default = templates.no_std; }
