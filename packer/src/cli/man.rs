//! `packer completions` and `packer man`: what is generated from the definition of the command line.

use super::Cli;
use super::print::print;
use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use packer::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print the completions for a shell
#[derive(Args)]
pub struct Completions {
    /// Whose completions
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<ExitCode> {
        // Into memory first: clap_complete panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "packer", &mut script);
        print(|out| out.write_all(&script).map_err(Error::Output))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Write the manual pages, packer.1 and one for each subcommand
#[derive(Args)]
pub struct Man {
    /// The directory to write them to
    dir: PathBuf,
}

impl Man {
    pub fn run(self) -> Result<ExitCode> {
        clap_mangen::generate_to(Cli::command(), &self.dir)
            .with_context(|| self.dir.display().to_string())?;
        Ok(ExitCode::SUCCESS)
    }
}
