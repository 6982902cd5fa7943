//! Whether user-mode Linux would be quick on this host.
//!
//! Each system call of a guest's program stops the program twice, by ptrace(2). A stop costs a few microseconds on
//! bare metal, and ten times as much on a host that is itself a guest. Some hosts forbid it. (docs/run.md has
//! measurements.)

use std::io;
use std::time::{Duration, Instant};

/// A stop may cost this much. Where one costs 50 microseconds, user-mode Linux is 2.5 times as quick as TCG with programs
/// that start many others, and up to 16 times with others. It is slower with loops of system calls.
pub const STOP_LIMIT: Duration = Duration::from_micros(150);

/// The system calls of the trial.
const CALLS: u32 = 16;

/// The time that one stop of a traced process takes.
///
/// # Errors
/// If the host forbids ptrace(2).
#[allow(unsafe_code)]
pub fn stop_time() -> io::Result<Duration> {
    // SAFETY: it takes nothing.
    let parent = unsafe { libc::getpid() };
    // SAFETY: the child makes system calls, and nothing else: no allocation, no lock.
    let child = unsafe { libc::fork() };
    match child {
        -1 => return Err(io::Error::last_os_error()),
        0 => be_traced(parent),
        _ => {}
    }
    let trial = trace(child);
    // SAFETY: the calls take numbers, and `status` is written.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        let mut status = 0;
        libc::waitpid(child, &raw mut status, 0);
    }
    trial
}

#[allow(unsafe_code)]
fn be_traced(parent: i32) -> ! {
    // SAFETY: system calls that take numbers.
    unsafe {
        // Whatever ends boot ends this process.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != parent || libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) == -1 {
            libc::_exit(1);
        }
        libc::raise(libc::SIGSTOP);
        for _ in 0..2 * CALLS {
            libc::syscall(libc::SYS_getppid);
        }
        libc::_exit(0);
    }
}

#[allow(unsafe_code)]
fn trace(child: i32) -> io::Result<Duration> {
    let wait = || {
        let mut status = 0;
        // SAFETY: `status` is written.
        match unsafe { libc::waitpid(child, &raw mut status, 0) } {
            -1 => Err(io::Error::last_os_error()),
            _ if libc::WIFSTOPPED(status) => Ok(()),
            _ => Err(io::ErrorKind::PermissionDenied.into()),
        }
    };
    wait()?;
    let started = Instant::now();
    for _ in 0..2 * CALLS {
        // SAFETY: the child is stopped, and is ours.
        if unsafe { libc::ptrace(libc::PTRACE_SYSCALL, child, 0, 0) } == -1 {
            return Err(io::Error::last_os_error());
        }
        wait()?;
    }
    Ok(started.elapsed() / (2 * CALLS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_takes_some_time_or_is_forbidden() {
        if let Ok(time) = stop_time() {
            assert!(
                time > Duration::ZERO && time < Duration::from_secs(1),
                "{time:?}"
            );
        }
    }
}
