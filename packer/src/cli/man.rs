//! `packer completions` and `packer man`: what is generated from the definition of the command line.

use super::Cli;
use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io;
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
        clap_complete::generate(self.shell, &mut Cli::command(), "packer", &mut io::stdout());
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
