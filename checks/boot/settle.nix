# A guest that writes the expected text and then fails counts as failed every time, and a guest that does not fail never does.
# (maintenance/settle.sh repeats this a thousand times, also on a busy machine.)
{ products, toolchain }:
toolchain.run "settle"
{
  gcc = "gcc";
  header = ./broken/init.h;
  make = ./broken/make.sh;
  guests = ./settle/guests.sh;
  times = "40";
  PATH = "${products.boot}/bin:${products.packer}/bin:${toolchain.cc}/bin:${toolchain.tools}/bin";
}
  (builtins.toFile "settle.sh" ''
    jobs=$NIX_BUILD_CORES
    . $make
    . $guests
    touch $out
  '')
