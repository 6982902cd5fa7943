# The templates of `nix flake init -t`. Each is a flake that uses this flake's library. checks/boot/templates.nix runs their checks.
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
    test = {
      path = ./test;
      description = "A Rust crate with tests that need a kernel, for `cargo test` and for `nix flake check`";
    };
  };
in
templates // { default = templates.no_std; }
