//! From the start of a program to its exit status: `boot run`, the host, and other ways to run a program on another kernel.

mod contenders;
mod table;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::boot::contenders::System;
use crate::measure::at_once;
use crate::print::{print, progress};

use contenders::{Contender, PROGRAMS, contenders};
use table::{Results, Row, Throughput};

/// Runs programs with `boot run` and beside it: seconds from the start to the exit status
///
/// There are three programs: one that ends at once, as `true` does, one that makes system calls, and one that computes.
/// The host runs them, too. No contender uses KVM.
#[derive(clap::Args)]
pub struct Options {
    /// A target and a directory with what `.#image` has, for the guest that only prints. Several: with commas
    #[arg(
        long = "system",
        value_name = "TARGET=DIR",
        env = "BENCH_SYSTEMS",
        value_delimiter = ',',
        required = true,
        value_parser = System::parse
    )]
    systems: Vec<System>,

    /// `boot run`: the program `run` of `.#run`
    #[arg(long, value_name = "FILE", env = "BENCH_RUN")]
    run: PathBuf,

    /// The program that is run: `work.c`, compiled
    #[arg(long, value_name = "FILE", env = "BENCH_WORK")]
    work: PathBuf,

    /// virtme-ng's program `vng`, to be a peer
    #[arg(long, value_name = "FILE", requires = "virtme_kernel")]
    virtme_ng: Option<PathBuf>,

    /// The kernel for virtme-ng
    #[arg(long, value_name = "FILE", env = "BENCH_VIRTME_KERNEL")]
    virtme_kernel: Option<PathBuf>,

    /// A bzImage for QEMU's default machine, to be a peer: the kernel of the article that this grew out of
    #[arg(
        long,
        value_name = "FILE",
        env = "BENCH_ARTICLE_KERNEL",
        requires = "plain_initrd"
    )]
    article_kernel: Option<PathBuf>,

    /// An initramfs for that kernel: `init.c`, compiled, and the program of `--work`
    #[arg(long, value_name = "FILE", env = "BENCH_PLAIN_INITRD")]
    plain_initrd: Option<PathBuf>,

    /// How often each contender runs each program
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,

    /// How long to measure throughput, for each contender and number of jobs; 0: not at all
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u32,

    /// File to write the results to, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// How many programs at once.
const JOBS: &[u32] = &[1, 2];

/// Runs each program once with all contenders, then all once more, and so on, so that whatever else the machine does
/// meanwhile hits all of them.
pub fn run(options: &Options) -> Result<()> {
    let work = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let mut trials = Vec::new();
    for program in PROGRAMS {
        for contender in contenders(options, program, work.path())? {
            let row = Row::new(program.name, contender.name);
            trials.push((contender, row));
        }
    }
    for round in 0..options.runs {
        for (contender, row) in &mut trials {
            row.seconds.push(contender.run()?.as_secs_f64());
        }
        progress(format_args!("round {} of {}", round + 1, options.runs));
    }
    let limit = Duration::from_secs(options.seconds.into());
    let mut throughput = Vec::new();
    let first = |row: &Row| !limit.is_zero() && row.program == PROGRAMS[0].name;
    for (contender, row) in trials.iter().filter(|(_, row)| first(row)) {
        for &jobs in JOBS {
            // A peer that cannot run twice at once is no reason to lose the rest.
            let measured = match measure(contender, jobs, limit) {
                Ok(measured) => measured,
                Err(error) => {
                    progress(format_args!("not measured, {jobs} at once: {error:#}"));
                    continue;
                }
            };
            progress(format_args!(
                "{}, {jobs} at once: {:.1} runs per second",
                row.contender,
                measured.per_second()
            ));
            throughput.push(measured);
        }
    }
    let rows = trials.into_iter().map(|(_, row)| row).collect();
    let results = Results::new(rows, throughput, options.virtme_ng.as_deref())?;
    // If nobody gets to see them, they are still to be in the file.
    let printed = print(&results);
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&results)?;
        fs::write(path, json + "\n").with_context(|| path.display().to_string())?;
    }
    printed
}

/// Runs the first program with `contender` until `limit`, `jobs` at once.
fn measure(contender: &Contender, jobs: u32, limit: Duration) -> Result<Throughput> {
    let started = Instant::now();
    let more = || started.elapsed() < limit;
    let (runs, time) = at_once(jobs, more, || contender.run().map(drop))?;
    Ok(Throughput {
        contender: contender.name,
        jobs,
        runs,
        seconds: time.as_secs_f64(),
    })
}
