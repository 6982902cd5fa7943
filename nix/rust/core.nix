# core TARGET: a sysroot for rustc with `core`, which a program without `std` needs, for a target for which Debian has no compiled one.
#
# It is built from the sources of this compiler, as in the compiler's own build. They use features that only this version of rustc
# knows. A stable rustc rejects these, unless RUSTC_BOOTSTRAP is set.
#
# rustc also needs a crate compiler_builtins, with functions for operations that a CPU has no instruction for (128-bit division). Here
# it is empty: gcc's libgcc has the same functions, and init calls none.
{ toolchain }:
target:
let inherit (toolchain) cc run rust rust-src tools; in
run "rust-core-${target.name}"
{
  inherit (target) rustTarget;
  src = rust-src;
  RUSTC_BOOTSTRAP = 1;
  PATH = "${rust}/bin:${cc}/bin:${tools}/bin";
  disallowedReferences = [ rust rust-src ];
}
  (builtins.toFile "rust-core.sh" ''
    library=$out/lib/rustlib/$rustTarget/lib
    mkdir -p $library
    compile() {
      rustc --target $rustTarget --sysroot $out --edition 2021 --crate-type rlib --out-dir $library --crate-name "$@" \
        -O -C panic=abort -C embed-bitcode=no -Z force-unstable-if-unmarked --cap-lints allow \
        --remap-path-prefix=$src=/rust
    }
    compile core $src/core/src/lib.rs
    echo '#![no_std] #![feature(compiler_builtins)] #![compiler_builtins]' >builtins.rs
    compile compiler_builtins builtins.rs
  '')
