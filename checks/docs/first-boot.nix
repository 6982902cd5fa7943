# docs/first-boot.md has each line that the first boot prints until it says hello. (What comes later depends on how busy the host is.)
{ products, toolchain }:
toolchain.run "first-boot"
{
  page = ../../docs/first-boot.md;
  PATH = "${products.boot}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "first-boot.sh" ''
    boot --accel tcg --expect 'Hello, world!' --timeout 120 --log log </dev/null
    # Times, addresses and other numbers differ.
    lines() { tr -d '\r' | sed 's/0x[0-9a-fA-F]*/N/g; s/[0-9][0-9.]*/N/g; s/, -N/, N/g; s/ *$//' | sort -u; }
    lines <log >seen
    lines <$page >explained
    grep -q '^.* Run /init as init process$' seen
    ! grep -vxF -f explained seen >$out || { echo "docs/first-boot.md lacks these lines (N is a number):"; cat $out; exit 1; }
    cp seen $out
  '')
