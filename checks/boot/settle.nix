# A guest that writes the expected text and then fails has failed, each time, and one that does not has not. (maintenance/settle.sh does
# that a thousand times, on a busy machine as well.)
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
