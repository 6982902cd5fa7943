//! `boot matrix`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use boot::files::outfile::OutFile;
use boot::machine::target::Target;
use boot::machine::vm::shell_words;
use boot::matrix::json::json;
use boot::matrix::junit::junit;
use boot::matrix::plan::{Cell, Plan};
use boot::matrix::progress::Progress;
use boot::matrix::result::Verdict;
use boot::matrix::runner::{self, Settings};
use boot::matrix::table::{count, summary, table};
use boot::session::signals::Signals;
use boot::streams::print;
use boot::verdict::exit_code::{self, ExitCode};
use clap::Parser;

use crate::cli;
use crate::cli::matrix::MatrixCli;
use crate::cli::run::RunCli;

/// The exit code of `boot matrix`, if the arguments of this process ask for that.
pub fn answer(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    cli::answer("matrix", arguments, matrix)
}

fn matrix(cli: &MatrixCli) -> Result<ExitCode> {
    let mut plan = Plan::read(&cli.file)?;
    plan.cells
        .retain(|cell| cli.filter.iter().all(|text| cell.name().contains(text)));
    if plan.cells.is_empty() {
        return Err(anyhow!(
            "no cell has a name that contains {}; --list shows the names",
            cli.filter.join(" and ")
        ));
    }
    for cell in &plan.cells {
        check(cli, cell)?;
    }
    if cli.list {
        let lines = plan.cells.iter().map(|cell| {
            format!(
                "{}  {}\n",
                cell.name(),
                shell_words(&runner::arguments(cell, None))
            )
        });
        return print(&lines.collect::<String>()).map(|()| exit_code::SUCCESS);
    }
    let file = |what, path: Option<&Path>, others: &[&Path]| {
        path.map(|path| OutFile::checked(what, path, others))
            .transpose()
    };
    let json_file = file("json", cli.json.as_deref(), &[&cli.file])?;
    let others: Vec<&Path> = [Some(cli.file.as_path()), cli.json.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let junit_file = file("junit", cli.junit.as_deref(), &others)?;
    let temporary;
    let logs = match &cli.logs {
        Some(logs) => logs,
        None => {
            temporary = tempfile::tempdir()
                .context("cannot make a directory for the output; name one with --logs DIR")?;
            temporary.path()
        }
    };
    let in_words = || {
        format!(
            "{}: cannot make the directory for the output (name another one with --logs DIR)",
            logs.display()
        )
    };
    fs::create_dir_all(logs).with_context(in_words)?;
    let settings = Settings {
        program: cli.runner.clone(),
        logs: logs.canonicalize().with_context(in_words)?,
        jobs: cli.jobs(),
        retries: cli.retries,
    };

    let signals = Signals::take_over().context("cannot handle signals")?;
    let started = Instant::now();
    let progress = Progress::new(&plan);
    let results = runner::run(&plan, &settings, &signals, &|event| progress.show(event));
    progress.end();
    let mut written = print(&format!(
        "{}\n{}\n",
        table(&plan, &results),
        summary(&results, started.elapsed())
    ));
    if let Some(file) = json_file {
        let text = json(&plan, &cli.file, &results, cli.logs.is_some());
        written = written.and(text.and_then(|text| file.write(&text)));
    }
    if let Some(file) = junit_file {
        let text = junit(&plan, &cli.file.to_string_lossy(), &results);
        written = written.and(text.and_then(|text| file.write(&text)));
    }
    let code = match (
        signals.exit_code(),
        count(&results, Verdict::Failed),
        count(&results, Verdict::Error),
    ) {
        (Some(code), _, _) => code,
        (None, 0, 0) => exit_code::SUCCESS,
        (None, 0, _) => exit_code::CANNOT_TEST,
        (None, _, _) => exit_code::GUEST_FAILED,
    };
    written.map(|()| code)
}

/// Finds what is wrong with a cell before anything runs.
fn check(cli: &MatrixCli, cell: &Cell) -> Result<()> {
    let arguments = runner::arguments(cell, None);
    let run = RunCli::try_parse_from(arguments).map_err(|error| {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        let what = first.strip_prefix("error: ").unwrap_or(first);
        anyhow!("{}: {}: {what}", cli.file.display(), cell.name())
    })?;
    if cli.runner.is_none() {
        run.guest(run.target.unwrap_or_else(Target::of_host))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use boot::matrix::options;
    use clap::CommandFactory;

    use super::*;

    /// The options that a file does not have: what boot sets itself, or what would change the meaning of the results.
    const NOT_IN_FILES: [&str; 7] = [
        "bisect",
        "help",
        "kvm-trial",
        "log",
        "report",
        "summary",
        "version",
    ];

    #[test]
    fn a_file_has_the_options_of_boot_run() {
        let mut command = RunCli::command();
        command.build();
        let mut wanted: Vec<_> = command
            .get_arguments()
            .filter_map(|argument| argument.get_long())
            .collect();
        let mut found: Vec<_> = options::names().chain(NOT_IN_FILES).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, wanted);
    }
}
