# The kernel opens /dev/console for PID 1. Its built-in archive has one, but an archive that stands alone does too.
packer create "$out" \
  --file "/init=$init/bin/init:0755" \
  --dir /dev:0755 \
  --node /dev/console=c:5:1:0600
