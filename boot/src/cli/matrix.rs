//! The arguments of `boot matrix`.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use clap::Parser;

/// Run programs in kernels of their own, in all combinations of kernels, machines, memory sizes and commands.
///
/// FILE says what they are. Each combination is a cell, and runs as `boot run` does. A line on stderr says how a cell
/// ended, and a table on stdout has all results. docs/matrix.md describes the files.
#[derive(Parser)]
#[command(name = "boot matrix", version, after_help = HELP)]
pub struct MatrixCli {
    /// TOML file with kernels, machines, memory sizes and commands
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// How many cells run at once [default: the number of processors]
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZero<usize>>,

    /// How many more times a cell may run that failed; if it passes then, it is flaky, which is no failure
    #[arg(long, value_name = "NUMBER", default_value = "0")]
    pub retries: usize,

    /// File to write the results to, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// File to write the results to, as JUnit's XML; KTAP and TAP in a program's output become its test cases
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// Directory for the output of each cell: CELL/stdout, CELL/stderr and CELL/console
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,

    /// Take only cells whose name contains TEXT; with several, all of them
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,

    /// Print the cells and their arguments for `boot run`, and run nothing
    #[arg(long)]
    pub list: bool,

    /// Program to start as `boot`, for boot's own tests
    #[arg(long, value_name = "FILE", hide = true)]
    pub runner: Option<PathBuf>,
}

impl MatrixCli {
    /// How many cells run at once.
    pub fn jobs(&self) -> usize {
        let processors = || thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        self.jobs.unwrap_or_else(processors).get()
    }
}

const HELP: &str = "\
Exit codes, as `git bisect run` understands them:
    0  all cells passed, some perhaps when they ran again, or were skipped
    1  a cell failed
    2  the command line is invalid
  125  FILE is invalid, or no cell failed but one could not be tried, or the results could not be written
128+n  signal n ended it; the results of the cells that had ended are written";
