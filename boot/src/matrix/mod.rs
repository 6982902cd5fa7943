//! Many runs.

pub mod ktap;
