# Takes bin/busybox out of $deb, with nothing but the shell, mkdir, tar and unxz of $builder.
#
# A .deb is an ar(5) archive. The header of its last member, data.tar.xz, ends with the only newline before the data, so
# reading lines up to the one with that name leaves the file at the right place. (`read` takes single bytes for that.)
{
  while read -r line; do
    case $line in *data.tar.xz*) break ;; esac
  done
  "$builder" mkdir "$out"
  "$builder" unxz | "$builder" tar -x -C "$out" ./bin/busybox
} <"$deb"
