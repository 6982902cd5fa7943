# The examples that need a kernel of their own do what they promise.
{ examples, toolchain }: import ../boot/examples.nix { inherit examples toolchain; hasOwnKernel = true; }
