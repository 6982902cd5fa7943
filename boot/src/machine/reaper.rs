//! The process between boot and the guest's process, which is QEMU or user-mode Linux. It ends that process
//! and everything that the process has started, when boot tells it to or when boot has ended for whatever
//! reason.
//!
//! Killing a process group misses processes that have left the group, and a parent-death signal
//! reaches only the child itself. But an orphan becomes a child of its nearest ancestor that is a
//! *subreaper* (prctl(2), PR_SET_CHILD_SUBREAPER). This process is one: it kills its children until it
//! has none.
//!
//! It executes boot's program again ([`command`], [`answer`]), with a socket to boot. It writes a
//! [`Report`] as a line of JSON when the process starts and when it ends. When the socket is closed, it
//! ends the process.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, WaitOptions, getpid, getppid, kill_process,
    kill_process_group, set_child_subreaper, set_parent_process_death_signal, wait, waitid,
    waitpid,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use serde::{Deserialize, Serialize};

use crate::machine::stat::processes;

/// The first argument of a reaper. The number of a descriptor follows, the socket to boot, and the numbers of those
/// that the guest's process inherits, with commas. Then follow the program, its `argv[0]` and its arguments.
const REAP: &str = "--reap";

/// A reaper's report about the guest's process.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// It runs, with this process id.
    Started(i32),
    /// It could not be started, with this `errno(3)`.
    NotStarted(i32),
    /// It ended, with this `wait(2)` status.
    Ended(i32),
}

/// A command that runs this program again as a reaper of `program`. The program's `main` must call
/// [`answer`] first. `program` gets the descriptors `inherited` and this `argv[0]`. More arguments for it can
/// be added.
pub fn command(
    control: &OwnedFd,
    inherited: &[&OwnedFd],
    program: &OsStr,
    argv0: &OsStr,
) -> Command {
    // Not the path from `current_exe`: another file may have that path by now.
    let mut command = Command::new("/proc/self/exe");
    let inherited: Vec<_> = inherited.iter().map(|fd| fd.as_raw_fd()).collect();
    let numbers: Vec<_> = inherited.iter().map(RawFd::to_string).collect();
    command
        .arg0(env!("CARGO_PKG_NAME"))
        .args([REAP, &control.as_raw_fd().to_string()])
        .arg(numbers.join(","))
        .args([program, argv0])
        // The terminal sends Ctrl-C to a whole process group, so boot keeps the guest out of its group.
        .process_group(0);
    inherit(
        &mut command,
        [vec![control.as_raw_fd()], inherited].concat(),
    );
    command
}

/// Makes `command` inherit these descriptors, and no other process that is started at the same time.
#[allow(unsafe_code)]
fn inherit(command: &mut Command, descriptors: Vec<RawFd>) {
    let inherit = move || {
        for &fd in &descriptors {
            // SAFETY: the caller keeps the descriptors open until the command is started.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            fcntl_setfd(fd, FdFlags::empty())?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec of a process with threads only async-signal-safe work is
    // allowed. `inherit` makes system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(inherit) };
}

/// Runs as a reaper and returns the exit code, if the program's arguments ask for that. `main` must call
/// this before anything else.
pub fn answer(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    arguments.nth(1).filter(|first| first == REAP)?;
    let control = take_descriptor(&arguments.next()?)?;
    let inherited = arguments.next()?;
    let inherited = inherited.to_str()?.split(',').map(OsStr::new);
    let inherited: Vec<_> = inherited.filter_map(take_descriptor).collect();
    let mut program = Command::new(arguments.next()?);
    program.arg0(arguments.next()?).args(arguments);
    let reaped = reap(program, control.into(), inherited);
    Some(ExitCode::from(u8::from(reaped.is_err())))
}

#[allow(unsafe_code)]
fn take_descriptor(number: &OsStr) -> Option<OwnedFd> {
    let number = number.to_str()?.parse().ok()?;
    // SAFETY: this process inherited the descriptor from `command`, and nothing else in it uses it.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Starts `program`. When `control` is closed, ends it and everything that it has started.
fn reap(mut program: Command, control: UnixStream, inherited: Vec<OwnedFd>) -> io::Result<()> {
    fcntl_setfd(&control, FdFlags::CLOEXEC)?;
    // Some sandboxes do not have it (gVisor in 2022). There, only what has left the process's group can be missed.
    let _ = set_child_subreaper(Some(getpid()));
    // The program gets its own group, so that killing the group does not kill this process.
    program.process_group(0);
    die_with_starter(&mut program);
    let child = match program.spawn() {
        Ok(child) => Pid::from_child(&child),
        Err(error) => {
            return say(
                &control,
                Report::NotStarted(error.raw_os_error().unwrap_or(0)),
            );
        }
    };
    let _ = say(&control, Report::Started(child.as_raw_nonzero().get()));
    // Close these here, so that their readers see when the program closes them.
    drop(inherited);
    close_standard_streams()?;
    thread::spawn({
        let control = control.try_clone()?;
        move || {
            // The child stays a zombie until `end`, so its process id is not reused.
            let ended = waitid(
                WaitId::Pid(child),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
            );
            if let Ok(Some(status)) = ended {
                let _ = say(&control, Report::Ended(wait_status(&status)));
            }
        }
    });
    // boot sends nothing: this returns when boot's end of the socket is closed.
    let _ = (&control).read(&mut [0]);
    end(child);
    Ok(())
}

fn say(mut control: &UnixStream, report: Report) -> io::Result<()> {
    let line = serde_json::to_string(&report)? + "\n";
    control.write_all(line.as_bytes())
}

fn close_standard_streams() -> io::Result<()> {
    let null = File::options().read(true).write(true).open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// `status` in the format of `wait(2)`.
fn wait_status(status: &WaitIdStatus) -> i32 {
    const CORE_DUMPED: i32 = 0x80;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code << 8,
        (None, Some(signal)) if status.dumped() => signal | CORE_DUMPED,
        (None, signal) => signal.unwrap_or(0),
    }
}

/// Kills `child`, its group, and every other process below this one.
fn end(child: Pid) {
    // The child has not been reaped, so the group id is still its own.
    let _ = kill_process_group(child, Signal::KILL);
    let _ = waitpid(Some(child), WaitOptions::empty());
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            // A process has left the group, or has not ended yet.
            Ok(None) => {
                kill_children();
                thread::sleep(Duration::from_millis(1));
            }
            // No children are left.
            Err(_) => return,
        }
    }
}

/// Kills all children of this process. Their children then become children of this process.
fn kill_children() {
    // In a container, /proc may belong to another PID namespace, where the same ids are other processes.
    let own = getpid();
    let is_own = fs::read_link("/proc/self").is_ok_and(|id| id == Path::new(&own.to_string()));
    let parent = Some(own.as_raw_nonzero().get());
    for process in processes().filter(|process| is_own && process.parent() == parent) {
        if let Some(process) = Pid::from_raw(process.id) {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// Makes the kernel kill `command` when the thread that starts it ends, even by SIGKILL.
#[allow(unsafe_code)]
pub fn die_with_starter(command: &mut Command) {
    let starter = getpid();
    let tie = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // If the starter ended before that call, the kernel sends no signal.
        if getppid() == Some(starter) {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: between fork and exec of a process with threads only async-signal-safe work is
    // allowed. `tie` makes two system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(tie) };
}
