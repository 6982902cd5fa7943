# mkInitramfs takes file names with blanks and quotes, a text with a store path in it, thousands of files, and programs with their
# libraries.
{ products, library, toolchain }:
let
  inherit (builtins) genList listToAttrs;
  odd = "/etc/it's a \"name\" of $HOME, `a\\b`";
  image = library.lib.mkInitramfs {
    inherit (products) init;
    files = {
      ${odd}.text = "odd\n";
      "/etc/path".text = "${products.packer}/bin\n";
      "/a link" = { symlink = "it's here"; };
    } // listToAttrs (genList (number: { name = "/many/${toString number}"; value.text = "${toString number}\n"; }) 3000);
    compress = "gzip:1";
  };
  program = "${products.packer}/bin/packer";
  withProgram = library.lib.mkInitramfs {
    inherit (products) init;
    programs = [ program ];
  };
in
toolchain.run "initramfs"
{
  inherit image odd program withProgram;
  path = "${products.packer}/bin";
  PATH = "${products.packer}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "initramfs.sh" ''
    packer extract --skip-devices $image root
    [ "$(cat "root$odd")" = odd ]
    [ "$(cat root/etc/path)" = $path ]
    [ "$(readlink "root/a link")" = "it's here" ]
    [ "$(cat root/many/* | wc -l)" = 3000 ]
    [ "$(cat root/many/2999)" = 2999 ]
    packer extract --skip-devices $withProgram with-program
    cmp $program with-program$program
    # Its interpreter finds all libraries in the image.
    interpreter=$(find $PWD/with-program -name 'ld-linux*' | head -n 1)
    libraries=$(find $PWD/with-program -name 'lib*.so*' -exec dirname {} \; | sort -u | tr '\n' :)
    $interpreter --inhibit-cache --library-path $libraries --list with-program$program | tee listed
    grep -F "libc.so.6 => $PWD/with-program/" listed
    if grep -F '=>' listed | grep -v -F "=> $PWD/with-program/"; then exit 1; fi
    packer list $image >$out
  '')
