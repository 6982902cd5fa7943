{ lib }:
lib.mkTest {
  script = ''
    mkdir scratch
    mount -t tmpfs -o size=64k scratch scratch
    ! dd if=/dev/zero of=scratch/file bs=1k count=65 || exit 1
    stat -c %s scratch/file >$out
  '';
}
