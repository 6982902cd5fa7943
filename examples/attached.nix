# A guest with a network, two disks and two directories of the host. It prints the sums of what it reads there, and writes to all of it. It
# needs options of boot, as in attached/machine.sh, which compares the bytes on both sides:
#
#   nix run .#examples.attached.boot -- --net --forward 8080:80 --disk FILE --disk FILE:rw --share DIR --share DIR:out:rw
{ lib, toolchain, kernel-full, mkShell }:
let
  system = lib.mkSystem {
    kernel = kernel-full;
    memory = 256;
    initramfs = mkShell ''
      mount -t devtmpfs dev /dev
      mkdir -p /share /out /www
      mount -t 9p -o trans=virtio,version=9p2000.L share /share
      mount -t 9p -o trans=virtio,version=9p2000.L out /out

      echo "first disk: $(sha256sum </dev/vda)"
      echo "second disk: $(sha256sum </dev/vdb)"
      for disk in vda vdb; do printf 'by the guest' | dd of=/dev/$disk conv=notrunc 2>/dev/null; done
      sync

      echo "share: $(sha256sum </share/bytes)"
      cp /share/bytes /out/
      echo no 2>/dev/null >/share/no || echo "share: it cannot be changed"

      echo "network: $(wget -q -O - http://10.0.2.2:8081/bytes | sha256sum)"
      echo "a page of the guest" >/www/page
      httpd -p 80 -h /www
      until [ -e /out/done ]; do sleep 0.1; done
      cat /out/done
      sync
      echo "That is all."
      while :; do sleep 1000; done
    '';
    expect = "That is all.";
  };
in
system // {
  hasOwnKernel = true;
  check = toolchain.run "attached"
    {
      row = ./attached/machine.sh;
      PATH = "${system.boot}/bin:${toolchain.tools}/bin";
    }
    (builtins.toFile "attached.sh" ''
      for machine in microvm q35; do
        mkdir $machine
        (cd $machine; . $row)
      done
      cp q35/console $out
    '');
}
