# The crates have licences that we accept, none is banned or there in two versions without a reason, and each of our packages uses
# what it depends on.
#
# cargo-deny and cargo-machete do that and more. But the one is 366 crates, most of them to compile, and the other needs a newer Rust than the
# pinned one.
{ rust, lint, toolchain, repositoryFiles }:
toolchain.run "crates"
{
  src = repositoryFiles "workspace" ([ "Cargo.toml" "Cargo.lock" ] ++ rust.members);
  inherit (rust) members crates;
  lintCrates = lint.crates;

  # Every licence that an expression may name, whatever joins them.
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
  ];
  # Programs that are only run can have these, too.
  programLicences = [ "GPL-3.0-or-later" ];
  banned = [
    "bindgen" # wants a libclang
    "cmake" # wants what is not pinned
    "openssl-sys" # links whatever OpenSSL is there
    "tokio" # nothing here waits for more than a thread can
  ];
  duplicates = [
    "bitflags" # vmm-sys-util, of kvm-ioctls, still has 1
    "getrandom" # rand, of proptest, still has 0.3
    "r-efi" # the same; for UEFI, where none of this runs
    "syn" # zerocopy-derive, of proptest, still has 2
  ];
  # Nothing but its program is wanted.
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
