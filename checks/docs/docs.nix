# Every command in a document runs, or the document says why it does not.
#
# The info string of a fenced block and the line before it, which the rendered page does not show, say what the block is:
#
#   ```sh                      commands. The check runs them in the order of the document, in one directory
#   <!-- not run: REASON -->   in the line before such a block: the check does not run it
#   ```text, ```json, ...      something else: what a command prints, a file, a picture
#   <!-- printed -->           in the line before a block of text: the commands before it must print these lines
#                              (shown.sh)
#
# stand-in.sh takes the place of ./nixw.
{ guestSystems, products, run-program, library, toolchain, repositoryFiles }:
toolchain.run "docs"
{
  src = repositoryFiles "documents" [ "README.md" "CONTRIBUTING.md" "CHANGELOG.md" "docs" ];
  blocks = ./blocks.awk;
  shown = ./shown.sh;
  nixw = ./stand-in.sh;
  inherit (products) init kernel;
  um = "${guestSystems.um.boot}/bin/boot";
  run = "${run-program}/bin/run";
  matrix = "${run-program.matrix}/bin/matrix";
  inherit (products.kernel) debug;
  inherit (library.lib.mkCInit { src = ../../nix/system/article.c; }) nolibc;
  PATH = "${products.boot}/bin:${products.packer}/bin:${toolchain.cc}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "docs.sh" ''
    mkdir scripts
    failed=
    for document in $(cd $src; find . -name '*.md' | sed 's#^[.]/##' | sort); do
      (
        cd $src
        awk -v out=$NIX_BUILD_TOP/scripts -v name=$(echo $document | tr / -) -f $blocks $document
      ) || failed=true
    done
    [ -z "$failed" ]

    # What the documents take to be there.
    for script in scripts/*.sh; do
      directory=''${script%-*.sh}
      if ! [ -e $directory ]; then
        mkdir -p $directory/root/etc
        cd $directory
        cp $nixw nixw
        chmod +x nixw
        cp $init/bin/init init
        mkdir linux
        ln -s $debug linux/vmlinux
        echo simplest >root/etc/hostname
        printf '%s\n' 'dir /dev 0755 0 0' 'nod /dev/console 0600 0 0 c 5 1' >list.txt
        packer create old.cpio.gz --tree root
        packer create new.cpio.gz --tree root
        cd $NIX_BUILD_TOP
      fi
      echo "== $script"
      cat $script
      (cd $directory && sh -ex ../../$script </dev/null) >log 2>&1 || { cat log; exit 1; }
      lines=''${script%.sh}.shown
      [ ! -e $lines ] || sh -e $shown $lines log || { cat log; exit 1; }
      echo $script >>$out
    done
    [ -s $out ]
  '')
