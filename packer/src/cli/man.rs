//! `packer completions` and `packer man`, which clap generates from the definition of the command line.

use super::print::print;
use super::{Cli, signals};
use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use packer::Error;
use packer::output::OutFile;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print the completions for a shell
#[derive(Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<ExitCode> {
        // Write to memory first, because clap_complete panics if writing fails.
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
        signals::clean_up()?;
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let subcommands = command.get_subcommands().cloned();
        for command in subcommands.chain([command.clone()]) {
            let man = clap_mangen::Man::new(command);
            let mut page = Vec::new();
            man.render(&mut page)?;
            OutFile::at(&self.dir.join(man.get_filename()))?.write(&page)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
