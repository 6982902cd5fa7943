# mkInitramfs { init }: an initramfs with /init and a console, and nothing else. A single file, newc in gzip.
{ run, tools, packer }:
{ init }:
run "initramfs.cpio.gz" {
  PATH = "${packer}/bin:${tools}/bin";
  # A program that loads nothing refers to nothing.
  allowedReferences = [ ];
  inherit init;
} ./initramfs.sh
