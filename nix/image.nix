# mkImage { kernel, initramfs }: what is booted, as files to take away, with their SHA-256.
{ run }:
{ kernel, initramfs }:
run "image" { inherit kernel initramfs; } ./image.sh
