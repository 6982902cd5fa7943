//! The entry of the process, and the system call instruction, for each architecture.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
mod this;

#[cfg_attr(target_arch = "x86_64", path = "numbers_x86_64.rs")]
#[cfg_attr(not(target_arch = "x86_64"), path = "numbers_generic.rs")]
pub mod numbers;

pub use this::system_call;
