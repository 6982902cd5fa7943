//! Runs the cells of a plan, some at once. A cell is a process `boot run`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::machine::reaper::die_with_starter;
use crate::matrix::plan::{Cell, Plan};
use crate::matrix::result::{Attempt, CellResult, Outputs};
use crate::session::events::Sender;
use crate::session::signals::Signals;

/// The time in which `boot run` must end its guest after a signal.
const PATIENCE: Duration = Duration::from_secs(2);

/// Results are looked for in this many bytes of an output.
const MOST_OUTPUT: u64 = 64 << 20;

/// The files of a run.
const OUTPUTS: [&str; 3] = ["stdout", "stderr", "console"];

/// The variables that name files of `boot run`.
const VARIABLES: [&str; 2] = ["BOOT_GUESTS", "BOOT_QEMU"];

/// How to run the cells.
#[derive(Debug)]
pub struct Settings {
    /// The program with the subcommand `run`; without one, this program.
    pub program: Option<PathBuf>,
    /// A directory for the output; each cell has one of its own below it.
    pub logs: PathBuf,
    /// How many cells run at once.
    pub jobs: usize,
    /// How many more times a cell may run that failed.
    pub retries: usize,
}

/// What happens to a cell.
#[derive(Debug)]
pub enum Event<'a> {
    /// It starts.
    Started(usize),
    /// It failed, and runs again.
    Failed(usize, &'a Attempt),
    /// It is done.
    Ended(&'a CellResult),
}

/// Runs all cells, and tells `progress` about each of them. A signal ends those that run, and no more are started. Results
/// are in the order of the plan.
pub fn run(
    plan: &Plan,
    settings: &Settings,
    signals: &Signals,
    progress: &(impl Fn(Event) + Sync),
) -> Vec<CellResult> {
    let running = Running::default();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let (sender, events) = Sender::channel(1);
    let registered = signals.register(&sender, None);
    // The registration has a sender of its own. Without a signal, the thread that waits for one ends with the last sender.
    drop(sender);
    thread::scope(|scope| {
        let stopped = &running;
        scope.spawn(move || {
            if events.recv().is_ok() {
                stopped.stop();
            }
        });
        let job = || {
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(cell) = plan.cells.get(place) else {
                    break;
                };
                let attempts = attempts(plan, place, cell, settings, &running, progress);
                let result = CellResult::new(place, attempts);
                progress(Event::Ended(&result));
                lock(&results).push(result);
            }
        };
        let jobs: Vec<_> = (0..settings.jobs.min(plan.cells.len()))
            .map(|_| scope.spawn(job))
            .collect();
        jobs.into_iter().for_each(|job| drop(job.join()));
        drop(registered);
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|result: &CellResult| result.cell);
    results
}

/// Runs a cell until it passes, or has failed often enough.
fn attempts(
    plan: &Plan,
    place: usize,
    cell: &Cell,
    settings: &Settings,
    running: &Running,
    progress: &(impl Fn(Event) + Sync),
) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let directory = |run: usize| match run {
        0 => settings.logs.join(cell.name()),
        run => settings.logs.join(cell.name()).join(format!("rerun-{run}")),
    };
    (1..)
        .map(directory)
        .take_while(|directory| forget_run(directory))
        .for_each(drop);
    while attempts.len() <= settings.retries && !lock(&running.0).stopped {
        progress(Event::Started(place));
        let directory = directory(attempts.len());
        let attempt = attempt(plan, cell, settings, running, &directory)
            .unwrap_or_else(|error| Some(Attempt::not_started(&error, &directory)));
        // A signal ended it.
        let Some(attempt) = attempt else { break };
        let is_bad = attempt.verdict.is_bad();
        if is_bad && attempts.len() < settings.retries {
            progress(Event::Failed(place, &attempt));
        }
        attempts.push(attempt);
        if !is_bad {
            break;
        }
    }
    attempts
}

/// Removes what an earlier `boot matrix` wrote about a second or later run, which may not happen now. Keeps what it does not
/// know. Returns whether there was something.
fn forget_run(directory: &Path) -> bool {
    let remove = |name: &str| fs::remove_file(directory.join(name)).is_ok();
    let removed = OUTPUTS.map(remove).contains(&true);
    fs::remove_dir(directory).is_ok() || removed
}

/// Runs a cell once. Nothing if a signal ended it.
fn attempt(
    plan: &Plan,
    cell: &Cell,
    settings: &Settings,
    running: &Running,
    directory: &Path,
) -> Result<Option<Attempt>> {
    let shown = directory.display();
    fs::create_dir_all(directory)
        .with_context(|| format!("{shown}: cannot make the directory for the output"))?;
    let output = |name: &str| {
        let path = directory.join(name);
        File::create(&path).with_context(|| format!("{}: cannot write the output", path.display()))
    };
    let [stdout, stderr, console] = OUTPUTS;
    // It is there even if `boot run` does not come so far.
    drop(output(console)?);
    let mut command = command(plan, cell, settings, directory);
    command.stdout(output(stdout)?).stderr(output(stderr)?);
    let started = Instant::now();
    let Some(mut child) = running.start(&mut command)? else {
        return Ok(None);
    };
    let pid = Pid::from_child(&child);
    // The child stays a zombie until no signal can reach another process with its id.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
    if running.forget(pid) {
        let _ = child.wait();
        return Ok(None);
    }
    let status = child.wait().context("cannot wait for boot run")?;
    let time = started.elapsed();
    let read = |name: &str| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(directory.join(name))?
            .take(MOST_OUTPUT)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let outputs = || -> io::Result<Outputs> {
        Ok(Outputs {
            stdout: read(stdout)?,
            stderr: read(stderr)?,
            console: read(console)?,
        })
    };
    let outputs = outputs().with_context(|| format!("{shown}: cannot read the output"))?;
    Ok(Some(Attempt::new(
        cell.options.status(),
        status.code(),
        &outputs,
        time,
        directory,
    )))
}

/// The arguments of the program for a cell.
pub fn arguments(cell: &Cell, console: Option<&Path>) -> Vec<OsString> {
    let mut arguments = cell.options.arguments(&[]);
    let place = arguments
        .iter()
        .position(|word| word == "--")
        .unwrap_or(arguments.len());
    let after = arguments.split_off(place);
    let mut arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    if let Some(console) = console {
        arguments.extend(["--log".into(), console.into()]);
    }
    arguments.insert(0, "run".into());
    arguments.extend(after.into_iter().map(OsString::from));
    arguments
}

fn command(plan: &Plan, cell: &Cell, settings: &Settings, directory: &Path) -> Command {
    // Not the path from `current_exe`: another file may have that path by now.
    let this = Path::new("/proc/self/exe");
    let mut command = Command::new(settings.program.as_deref().unwrap_or(this));
    command
        .arg0(env!("CARGO_PKG_NAME"))
        .args(arguments(cell, Some(&directory.join("console"))))
        .current_dir(&plan.directory)
        .stdin(Stdio::null())
        // The terminal sends Ctrl-C to a whole process group. It is this process that ends the cells.
        .process_group(0);
    for name in VARIABLES {
        // The cell has another directory.
        let path = std::env::var_os(name).filter(|path| path.as_encoded_bytes().contains(&b'/'));
        if let Some(Ok(path)) = path.map(std::path::absolute) {
            command.env(name, path);
        }
    }
    die_with_starter(&mut command);
    command
}

/// The processes that run.
#[derive(Default)]
struct Running(Mutex<Processes>);

#[derive(Default)]
struct Processes {
    pids: Vec<Pid>,
    stopped: bool,
}

impl Running {
    /// Starts a process, unless all have been stopped.
    fn start(&self, command: &mut Command) -> Result<Option<Child>> {
        let mut processes = lock(&self.0);
        if processes.stopped {
            return Ok(None);
        }
        let child = command.spawn().context("cannot start boot run")?;
        processes.pids.push(Pid::from_child(&child));
        Ok(Some(child))
    }

    /// The process has ended. Returns whether all have been stopped.
    fn forget(&self, pid: Pid) -> bool {
        let mut processes = lock(&self.0);
        processes.pids.retain(|other| *other != pid);
        processes.stopped
    }

    /// Ends all processes.
    fn stop(&self) {
        lock(&self.0).stopped = true;
        // The first signal is for the program in the guest, and a second one, even another, ends the guest.
        self.send(Signal::TERM);
        self.send(Signal::USR1);
        let started = Instant::now();
        while !lock(&self.0).pids.is_empty() && started.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        self.send(Signal::KILL);
    }

    fn send(&self, signal: Signal) {
        for pid in &lock(&self.0).pids {
            let _ = kill_process(*pid, signal);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
