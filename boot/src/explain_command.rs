//! `boot explain`.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use boot::explain::follow::{Growing, follow};
use boot::explain::read::read;
use boot::explain::show;
use boot::explain::trace::Sources;
use boot::files::outfile::OutFile;
use boot::session::signals::Signals;
use boot::streams::{Patient, print};
use boot::verdict::exit_code::ExitCode;

use crate::cli;
use crate::cli::explain::ExplainCli;

/// The exit code of `boot explain`, if the arguments of this process ask for that.
pub fn answer(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    cli::answer("explain", arguments, explain)
}

fn explain(cli: &ExplainCli) -> Result<ExitCode> {
    let is_stdin = cli.log == Path::new("-");
    let name = if is_stdin {
        "stdin".to_owned()
    } else {
        cli.log.display().to_string()
    };
    let json = cli
        .json
        .as_deref()
        .map(|path| OutFile::checked("json", path, &[&cli.log]))
        .transpose()?;
    let sources = cli.symbols.as_deref().map(Sources::read).transpose()?;
    let signals = Signals::take_over().context("cannot handle signals")?;
    let boots = match (cli.follow, is_stdin) {
        (true, _) => {
            let log = match is_stdin {
                true => Growing::stdin(),
                false => Growing::open(&cli.log, cli.baud),
            };
            let ended = || signals.exit_code().is_some();
            log.and_then(|log| follow(log, cli.goal(), Patient(io::stdout()), ended))
        }
        (false, true) => read(Patient(io::stdin()), cli.goal()),
        (false, false) => File::open(&cli.log).and_then(|file| read(file, cli.goal())),
    };
    let mut boots = boots.with_context(|| format!("{name}: cannot read the log"))?;
    if cli.last {
        boots.drain(..boots.len() - 1);
    }
    let mut written = print(&show::text(&name, &boots, sources.as_ref()));
    if let Some(file) = json {
        written = written.and(file.write(&show::json(&name, &boots, sources.as_ref())));
    }
    let code = signals.exit_code().unwrap_or(show::exit_code(&boots));
    written.map(|()| code)
}
