# What is booted is the same bits however it is built: init, the archive, the initramfs and the kernel are built a second time,
# from scratch and as on another machine (reproducible/elsewhere.sh), and compared. Of the kernels, whose building takes the most
# time, x86_64's; that the others' bits do not depend on the machine, golden.json tells.
{ self, systems, toolchain, target, mkInitramfs }:
let
  inherit (toolchain) cc check run tools;

  # The order in which directories are read is the file system's.
  reversed = run "reversed" { PATH = "${cc}/bin:${tools}/bin"; source = ./reproducible/reversed.c; } (builtins.toFile "reversed.sh" ''
    gcc -O2 -Wall -Werror -shared -fPIC -o $out $source
  '');

  # The derivation with these attributes, its builder's script run elsewhere.
  elsewhere = attributes: derivation (attributes // {
    args = [ "-e" ./reproducible/elsewhere.sh ] ++ builtins.tail attributes.args;
    preload = "${reversed}:${check}/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
  });

  # Of one system. init is compiled without the dependencies that were compiled for all.
  small = name:
    let
      system = systems.${name};
      init = elsewhere (system.init.drvAttrs // { target = ""; });
      initramfs = elsewhere (mkInitramfs { inherit init; }).drvAttrs;
    in
    [
      "init-${name}=${system.init}/bin/init=${init}/bin/init"
      "initramfs-${name}=${system.initramfs}=${initramfs}"
    ];
  kernel = elsewhere self.kernel.drvAttrs;
in
run "reproducible"
{
  PATH = "${toolchain.tools}/bin";
  pairs = builtins.concatLists (map small (builtins.attrNames systems))
    ++ map (output: "${output}=${self.kernel.${output}}=${kernel.${output}}") ([ "debug" ] ++ builtins.attrNames target.kernelImages);
} ./reproducible/compare.sh
