//! What differs between architectures: `_start`, the system calls, and the ELF machine number.
//!
//! A port is one file here that defines the same four names.

#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod imp;

#[cfg(not(target_arch = "x86_64"))]
compile_error!("init knows no system calls for this architecture yet: add src/arch/<arch>.rs");

pub(crate) use imp::{_start, ELF_MACHINE, pause, write};
