//! Many runs of programs in kernels: `boot matrix`.
//!
//! The input is a TOML file with kernels, machines, memory sizes and commands. The output is a result for each combination,
//! which is a cell: a table, a JSON file, a JUnit file, and the output of each cell in a directory. A cell is a process
//! `boot run`, so that nothing that happens in one of them concerns another, and the file's options are those of `boot run`.
//!
//! | module | subject |
//! | --- | --- |
//! | [`progress`] | what is shown while cells run |
//! | [`runner`] | the processes |
//! | [`junit`], [`json`], [`table`] | the results, for programs and people |
//! | [`result`] | what a run means |
//! | [`plan`] | from the file to the cells |
//! | `file`, [`options`] | the file's tables |
//! | [`ktap`] | test results in a program's output |

mod file;
pub mod json;
pub mod junit;
pub mod ktap;
pub mod options;
pub mod plan;
pub mod progress;
pub mod result;
pub mod runner;
pub mod table;
