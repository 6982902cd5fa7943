# Runs $script with cargo at hand, in a writable copy of $src at /build/source.
#
#   src      the workspace's manifests and whatever sources are wanted
#   members  the folders of all the workspace's packages
#   crates   `cargo vendor`'s result; empty: cargo may use the network
#   target   target directories of earlier runs, to start from, each with what it adds to those before it
#   script   what to run

# With the times of the store: newer sources than $target would be compiled again.
cp -a "$src" source
chmod -R u+w source
cd source

# Cargo wants every member to have something to build. Those that are not in $src get a program and a test of nothing: with
# them the dependencies are built in every way that the real ones need.
for member in $members; do
  [ ! -d "$member/src" ] || continue
  mkdir "$member/src" "$member/tests"
  echo 'fn main() {}' >"$member/src/main.rs"
  : >"$member/tests/empty.rs"
done

export CARGO_HOME="$NIX_BUILD_TOP/cargo-home"
mkdir "$CARGO_HOME"
if [ -n "$crates" ]; then
  cat >"$CARGO_HOME/config.toml" <<CONFIG
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "$crates"
[net]
offline = true
CONFIG
fi
# No path of the build in what is built: not for reproducibility only, a store path would keep the crates alive.
export RUSTFLAGS="--remap-path-prefix=$PWD=/source"
[ -z "$crates" ] || RUSTFLAGS="$RUSTFLAGS --remap-path-prefix=$crates=/crates"
export CARGO_BUILD_JOBS="$NIX_BUILD_CORES"

for earlier in $target; do
  mkdir -p target
  cp -a "$earlier/." target
  chmod -R u+w target
done
eval "$script"
