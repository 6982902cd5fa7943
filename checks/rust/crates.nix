# All crates have licences that we accept, none is banned, and none is there in two versions without a reason. Each of our
# packages uses all its dependencies.
#
# cargo-deny and cargo-machete check this and more. But cargo-deny has 366 crates, most of which it would have to compile, and
# cargo-machete needs a newer Rust than the pinned one.
{ rust, lint, toolchain, repositoryFiles }:
toolchain.run "crates"
{
  src = repositoryFiles "workspace" ([ "Cargo.toml" "Cargo.lock" ] ++ rust.members);
  inherit (rust) members crates;
  lintCrates = lint.crates;

  # Every licence that an expression may contain.
  licences = [
    "0BSD"
    "Apache-2.0"
    "BSD-2-Clause"
    "BSD-3-Clause"
    "ISC"
    "LGPL-2.1-or-later" # r-efi offers it beside MIT
    "LLVM-exception"
    "MIT"
    "Unicode-3.0"
    "Unlicense"
    "Zlib"
    "bzip2-1.0.6" # libbz2-rs-sys: in substance, BSD-3-Clause
  ];
  # Programs that only run here may have these, too.
  programLicences = [ "GPL-3.0-or-later" ];
  banned = [
    "bindgen" # needs a libclang
    "cmake" # needs programs that are not pinned
    "openssl-sys" # links whatever OpenSSL is there
    "tokio" # threads are enough here
  ];
  duplicates = [
    "bitflags" # vmm-sys-util, of kvm-ioctls, still has 1
    "getrandom" # rand, of proptest, still has 0.3
    "r-efi" # the same; only for UEFI, where nothing of this runs
    "syn" # zerocopy-derive, of proptest, still has 2
  ];
  # Only its program is used.
  unused = [ "bench/threecpio" ];
}
  (builtins.toFile "crates.sh" ''
    wrong() { echo "$*"; failed=true; }
    failed=false

    # licences VENDORED ACCEPTED...: each of the crates names a licence, and no other than these.
    licences() {
      vendored=$1
      shift
      printf '%s\n' AND OR WITH "" "$@" >accepted
      for manifest in $vendored/*/Cargo.toml; do
        crate=$(basename "$(dirname $manifest)")
        expression=$(sed -n 's/^license = "\(.*\)"$/\1/p' $manifest | head -n 1)
        [ -n "$expression" ] || wrong "$crate: no licence"
        others=$(printf '%s\n' "$expression" | tr ' /()' '\n' | grep -vxF -f accepted || :)
        [ -z "$others" ] || wrong "$crate: licence not accepted: $others"
      done
    }
    licences $crates $licences
    licences $lintCrates $licences $programLicences

    cd $src
    names() { sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.lock; }
    for name in $banned; do ! names | grep -qx -e $name || wrong "banned: $name"; done
    found=$(names | sort | uniq -d | tr '\n' ' ')
    [ "$found" = "$duplicates " ] || wrong "in several versions are $found, and expected to be $duplicates"

    # The dependencies that manifest $2 has in sections $1, a pattern.
    section() { awk -v wanted="^[[]($1)]\$" '/^\[/ { on = $0 ~ wanted } on && /^[a-zA-Z]/ && sub(/[. =].*/, "")' $2; }
    for member in $members; do
      for name in $(section '(dev-|build-)?dependencies' $member/Cargo.toml); do
        echo $name >>$NIX_BUILD_TOP/wanted
        path=$(echo $name | tr - _)
        find $member -name '*.rs' ! -path '*/fuzz/*' | xargs grep -qE "(^|[^A-Za-z0-9_])($path::|use $path( as .*)?;)" || echo $member/$name
      done
    done >$NIX_BUILD_TOP/idle
    [ "$(cat $NIX_BUILD_TOP/idle)" = "$unused" ] || wrong "not used: $(cat $NIX_BUILD_TOP/idle)"
    for name in $(section 'workspace[.]dependencies' Cargo.toml); do
      grep -qx -e $name $NIX_BUILD_TOP/wanted || wrong "Cargo.toml: no package wants $name"
    done

    [ $failed = false ]
    touch $out
  '')
