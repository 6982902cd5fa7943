# mkInitramfs takes names with blanks and quotes, a text that names a store path, and thousands of files.
{ self, library, toolchain }:
let
  inherit (builtins) genList listToAttrs;
  odd = "/etc/it's a \"name\" of $HOME, `a\\b`";
  image = library.lib.mkInitramfs {
    inherit (self) init;
    files = {
      ${odd}.text = "odd\n";
      "/etc/path".text = "${self.packer}/bin\n";
      "/a link" = { symlink = "it's here"; };
    } // listToAttrs (genList (number: { name = "/many/${toString number}"; value.text = "${toString number}\n"; }) 3000);
    compress = "gzip:1";
  };
in
toolchain.run "initramfs"
{
  inherit image odd;
  path = "${self.packer}/bin";
  PATH = "${self.packer}/bin:${toolchain.tools}/bin";
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
