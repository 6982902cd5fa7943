//! What user-mode Linux needs of this host, and whether it would be quick.
//!
//! Each system call of a guest's program stops the program twice, by ptrace(2). A stop costs a few microseconds on
//! bare metal, and ten times as much on a host that is itself a guest. Some hosts forbid it. (docs/run.md has
//! measurements.)

use std::ptr;
use std::time::{Duration, Instant};
use std::{fmt, io};

/// A stop may cost this much. Where one costs 50 microseconds, user-mode Linux is 2.5 times as quick as TCG with programs
/// that start many others, and up to 16 times with others. It is slower with loops of system calls.
pub const STOP_LIMIT: Duration = Duration::from_micros(150);

/// Why user-mode Linux cannot run on this host.
#[derive(Debug)]
pub enum Obstacle {
    /// A signal for a fault does not say that it was a page fault. The kernel then takes each fault of a program for an
    /// error of the program: "init[1]: segfault at 401000". gVisor is like this.
    Faults,
    /// The host forbids ptrace(2). A kernel with seccomp(2) does not need it.
    Ptrace(io::Error),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Faults => {
                f.write_str("this host does not report page faults to programs, like gVisor")
            }
            Obstacle::Ptrace(error) => write!(f, "this host does not allow ptrace(2): {error}"),
        }
    }
}

/// The exit status of a trial's process that learned nothing about its fault. Others are values of errno(3).
const NO_PAGE_FAULT: i32 = 255;

/// The time that one stop of a traced process takes, from a trial with `2 * calls` stops.
///
/// # Errors
/// If user-mode Linux cannot run.
#[allow(unsafe_code)]
pub fn stop_time(calls: u32) -> Result<Duration, Obstacle> {
    // SAFETY: it takes nothing.
    let parent = unsafe { libc::getpid() };
    // SAFETY: the child makes system calls, and nothing else: no allocation, no lock.
    let child = unsafe { libc::fork() };
    match child {
        -1 => return Err(Obstacle::Ptrace(io::Error::last_os_error())),
        0 => fault(parent),
        _ => {}
    }
    let trial = trace(child, calls);
    // SAFETY: the calls take numbers, and `status` is written.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        let mut status = 0;
        libc::waitpid(child, &raw mut status, 0);
    }
    trial
}

/// Reads from a page that may not be read. Goes on in [`be_traced`].
#[allow(unsafe_code)]
fn fault(parent: i32) -> ! {
    // SAFETY: system calls that take numbers, and structures that live long enough. The page is this function's own.
    unsafe {
        // Whatever ends boot ends this process.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != parent {
            libc::_exit(1);
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = be_traced as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO;
        libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut());
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(ptr::null_mut(), 1, libc::PROT_NONE, flags, -1, 0);
        ptr::read_volatile(page.cast::<u8>());
        libc::_exit(NO_PAGE_FAULT);
    }
}

/// The handler of that fault's signal.
#[allow(unsafe_code)]
extern "C" fn be_traced(
    _signal: i32,
    _info: *const libc::siginfo_t,
    context: *const libc::ucontext_t,
) {
    // SAFETY: the kernel wrote `context`, and the system calls take numbers.
    unsafe {
        if !is_page_fault(&*context) {
            libc::_exit(NO_PAGE_FAULT);
        }
        if libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) == -1 {
            libc::_exit(*libc::__errno_location());
        }
        libc::raise(libc::SIGSTOP);
        // Until the parent ends it.
        loop {
            libc::syscall(libc::SYS_getppid);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn is_page_fault(context: &libc::ucontext_t) -> bool {
    // X86_TRAP_PF in Linux's arch/x86/include/asm/trapnr.h.
    context.uc_mcontext.gregs[libc::REG_TRAPNO as usize] == 14
}

#[cfg(not(target_arch = "x86_64"))]
fn is_page_fault(_: &libc::ucontext_t) -> bool {
    true
}

#[allow(unsafe_code)]
fn trace(child: i32, calls: u32) -> Result<Duration, Obstacle> {
    let failed = || Obstacle::Ptrace(io::Error::last_os_error());
    let wait = || {
        let mut status = 0;
        // SAFETY: `status` is written.
        match unsafe { libc::waitpid(child, &raw mut status, 0) } {
            -1 => Err(failed()),
            _ if libc::WIFSTOPPED(status) => Ok(()),
            // A filter that kills.
            _ if libc::WIFSIGNALED(status) => {
                Err(Obstacle::Ptrace(io::ErrorKind::PermissionDenied.into()))
            }
            _ => Err(match libc::WEXITSTATUS(status) {
                NO_PAGE_FAULT => Obstacle::Faults,
                errno => Obstacle::Ptrace(io::Error::from_raw_os_error(errno)),
            }),
        }
    };
    wait()?;
    let started = Instant::now();
    for _ in 0..2 * calls {
        // SAFETY: the child is stopped, and is ours.
        if unsafe { libc::ptrace(libc::PTRACE_SYSCALL, child, 0, 0) } == -1 {
            return Err(failed());
        }
        wait()?;
    }
    Ok(started.elapsed() / (2 * calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_takes_some_time_or_is_forbidden() {
        match stop_time(16) {
            Ok(time) => assert!(
                time > Duration::ZERO && time < Duration::from_secs(1),
                "{time:?}"
            ),
            Err(Obstacle::Ptrace(error)) => {
                assert!(error.raw_os_error().is_some_and(|errno| errno != 0))
            }
            Err(Obstacle::Faults) => panic!("tests do not run in gVisor"),
        }
    }
}
