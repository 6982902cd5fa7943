//! What it costs to run a command.

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From start to end.
    pub time: Duration,
    /// The processor time of all its processes.
    pub cpu: Duration,
    /// Resident bytes of the largest of its processes, at the worst.
    pub memory: u64,
}

/// Runs `script` with bash and `arguments`, in `directory`. (Busybox's shell would run its own cpio
/// and gzip instead of those in `PATH`.)
///
/// # Errors
/// If any command in it fails, of a pipeline too.
pub fn run(script: &str, arguments: &[PathBuf], directory: &Path) -> Result<Cost> {
    let mut command = Command::new("bash");
    command.args(["-e", "-o", "pipefail", "-c", script, "bash"]);
    command.args(arguments).current_dir(directory);

    let start = Instant::now();
    let child = command.spawn().context("starting bash")?;
    let (status, usage) = wait(child.id().try_into()?).context("waiting for bash")?;
    let time = start.elapsed();

    ensure!(status.success(), "`{script}` failed: {status}");
    let memory = u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024;
    let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
    Ok(Cost { time, cpu, memory })
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = Duration::from_secs(time.tv_sec.unsigned_abs());
    seconds + Duration::from_micros(time.tv_usec.unsigned_abs())
}

/// Waits for a child process; unlike the standard library's `wait` it learns what the child used.
pub fn wait(child: libc::pid_t) -> io::Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    let mut usage = MaybeUninit::uninit();
    // SAFETY: both pointers are to what wait4(2) wants to write.
    let waited = unsafe { libc::wait4(child, &mut status, 0, usage.as_mut_ptr()) };
    if waited < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: wait4 succeeded, so it has written it.
    Ok((ExitStatus::from_raw(status), unsafe { usage.assume_init() }))
}

/// Calls `work` in `jobs` threads, each time that `more` says so. How often that was, and from the first start to the
/// last end.
pub fn at_once(
    jobs: u32,
    more: impl Fn() -> bool + Sync,
    work: impl Fn() -> Result<()> + Sync,
) -> Result<(u32, Duration)> {
    let times = AtomicU32::new(0);
    let job = || -> Result<()> {
        while more() {
            work()?;
            times.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let started = Instant::now();
    thread::scope(|scope| {
        let jobs: Vec<_> = (0..jobs).map(|_| scope.spawn(job)).collect();
        jobs.into_iter()
            .try_for_each(|job| job.join().expect("it does not panic"))
    })?;
    Ok((times.into_inner(), started.elapsed()))
}
