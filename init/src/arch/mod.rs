//! The code that depends on the architecture: `_start`, the system calls, and two fields of the ELF header.
//!
//! To port init, add a file here that defines the same five names.

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod imp;

#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "x86_64"
)))]
compile_error!("init knows no system calls for this architecture yet: add src/arch/<arch>.rs");

pub(crate) use imp::{_start, ELF_FLAGS, ELF_MACHINE, pause, write};
