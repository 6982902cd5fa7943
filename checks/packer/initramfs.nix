# mkInitramfs takes file names with blanks and quotes, a text with a store path in it, and thousands of files.
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
in
toolchain.run "initramfs"
{
  inherit image odd;
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
    packer list $image >$out
  '')
