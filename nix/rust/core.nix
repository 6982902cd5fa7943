# core TARGET: a sysroot for rustc with `core` for a target of which Debian has no compiled one: what a program without `std` needs.
#
# Built from the sources that the compiler itself comes from, as the compiler's own build does it. That uses features which only
# this version of rustc knows, and which a stable one refuses unless RUSTC_BOOTSTRAP says that it is to build its own library.
#
# rustc wants a crate called compiler_builtins beside it, with what stands in for instructions that a CPU lacks (128-bit division).
# Here it is empty: gcc's libgcc has the same functions, and init calls none.
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
