# Makes a tree that runs from the store out of Debian packages.
#
#   debs      the packages
#   keep      what to keep, as shell patterns below /usr; empty: everything
#   on        trees whose libraries and files this one may use
#   glibc     the tree with the loader; empty for that tree itself
#   patchelf  patchelf's own tree
#   finish    what else to do in $out, as shell text
#   library, loader  of hosts.nix

# Debian's packages still hold /bin and /lib beside /usr/bin and /usr/lib; on a system, and so here, they are the same.
mkdir -p root/usr/bin root/usr/sbin root/usr/lib root/usr/lib64
for directory in bin sbin lib lib64; do
  ln -s "usr/$directory" "root/$directory"
done
for deb in $debs; do
  ar p "$deb" data.tar.xz | tar -xJ -C root
done
rm -rf root/usr/share/doc root/usr/share/man root/usr/share/info root/usr/share/locale root/usr/share/lintian
chmod -R u+w root

# The place in the store of a file that Debian knows by an absolute path, or nothing.
locate() {
  path=${1#/usr}
  for tree in "$out" $on; do
    [ ! -e "$tree$path" ] || { echo "$tree$path"; return; }
  done
}

is_elf() {
  # shellcheck disable=SC3045 # busybox's `read` has -n
  read -r -n 4 magic <"$1" || :
  case $magic in ?ELF) ;; *) return 1 ;; esac
  # e_type: a relocatable object (1) has nothing to patch.
  [ "$(od -An -tx1 -j16 -N1 "$1")" != " 01" ]
}

# Every dynamically linked file below $1. (Of a static one, patchelf prints no needed library but an error.)
dynamic_files() {
  find "$1" -type f ! -name '*.o' ! -name '*.a' ! -name '*.rlib' ! -name '*.h' | while read -r file; do
    if is_elf "$file" && patchelf --print-needed "$file" >/dev/null 2>&1; then echo "$file"; fi
  done
}

# Copies the libraries that $1 needs and neither this tree nor those below have, and what these need in turn.
add_libraries() {
  patchelf --print-needed "$1" | while read -r needed; do
    if [ -n "$(locate "/$library/$needed")" ] || [ ! -e "root/usr/$library/$needed" ]; then continue; fi
    mkdir -p "$out/$library"
    cp -L "root/usr/$library/$needed" "$out/$library/"
    add_libraries "$out/$library/$needed"
  done
}

PATH=$patchelf/bin:$PATH
patchelf --version >/dev/null

if [ -n "$keep" ]; then
  mkdir "$out"
  for pattern in $keep; do
    for file in root/usr/$pattern; do
      [ -e "$file" ] || [ -L "$file" ] || { echo "tree.sh: nothing matches $pattern" >&2; exit 1; }
      directory=$out/$(dirname "${file#root/usr/}")
      mkdir -p "$directory"
      cp -a "$file" "$directory/"
    done
  done
  dynamic_files "$out" | while read -r file; do add_libraries "$file"; done
else
  mv root/usr "$out"
fi

# Absolute symbolic links lead into the store. One that leads nowhere, even so, is dropped.
find "$out" -type l | while read -r link; do
  target=$(readlink "$link")
  case $target in
    /*) target=$(locate "$target") && ln -sfn "${target:-/nowhere}" "$link" ;;
  esac
  [ -e "$link" ] || rm "$link"
done

# So do the paths in linker scripts (libc.so), and the interpreter of shell scripts. A linker script is small, and busybox's grep needs 6 s
# for the 300 MB of rustc's libraries.
find "$out/$library" -type f -size -8k -exec grep -lI '^GROUP (' {} + 2>/dev/null | while read -r script; do
  grep '^GROUP (' "$script" | grep -o '/[^ ]*' | while read -r path; do
    place=$(locate "$path")
    [ -z "$place" ] || sed -i "s#\([ (]\)$path#\1$place#" "$script"
  done
done
for script in "$out"/bin/*; do
  if [ -f "$script" ] && head -n 1 "$script" | grep -q '^#! */bin/\(ba\)\?sh'; then
    sed -i "1s#^\#! */bin/\(ba\)\?sh#\#!$builder#" "$script"
  fi
done

# The loader and the libraries, by their place in the store. The C library itself is left as it is: patching it breaks it.
if [ -n "$glibc" ]; then
  rpath=$out/$library
  for tree in $on; do rpath=$rpath:$tree/$library; done
  dynamic_files "$out" | while read -r file; do
    interpreter=
    if patchelf --print-interpreter "$file" >/dev/null 2>&1; then
      interpreter="--set-interpreter $glibc/$library/$loader"
    fi
    # shellcheck disable=SC2086 # two words or none
    patchelf $interpreter --set-rpath "$rpath" "$file" || { echo "tree.sh: patchelf fails on $file" >&2; exit 1; }
  done
fi

cd "$out"
eval "$finish"
