# What is booted is the same bits however it is built: init, the archive, the initramfs and the kernel are built a second time,
# from scratch and as on another machine (reproducible/elsewhere.sh), and compared.
{ self, toolchain, target, mkInitramfs }:
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

  # Without the dependencies that were compiled for all.
  init = elsewhere (self.init.drvAttrs // { target = ""; });
  initramfs = elsewhere (mkInitramfs { inherit init; }).drvAttrs;
  kernel = elsewhere self.kernel.drvAttrs;
in
run "reproducible"
{
  PATH = "${toolchain.tools}/bin";
  pairs = [
    "init=${self.init}/bin/init=${init}/bin/init"
    "initramfs=${self.initramfs}=${initramfs}"
  ] ++ map (output: "${output}=${self.kernel.${output}}=${kernel.${output}}") ([ "debug" ] ++ builtins.attrNames target.kernelImages);
} ./reproducible/compare.sh
