# Which files a program changes. It works on an overlay file system, whose upper layer then has its changes. Mounting that takes a kernel
# of its own, so this is no system but a test.
{ lib }:
{
  check = lib.mkTest {
    name = "changes";
    script = ''
      mkdir tree layer
      echo one >tree/kept
      echo two >tree/changed
      echo three >tree/removed
      mount -t tmpfs layer layer
      mkdir layer/upper layer/work
      mount -t overlay -o lowerdir=tree,upperdir=layer/upper,workdir=layer/work changes tree

      (cd tree; cat kept; echo more >>changed; rm removed; mkdir new)

      umount tree
      # What is removed is a device with the number 0, 0 there.
      (cd layer/upper; find * -exec stat -c '%n: %F' {} +) | sort | tee $out
      [ "$(cat $out)" = "changed: regular file
      new: directory
      removed: character special file" ]
    '';
  };
}
