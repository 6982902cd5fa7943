//! From the start to the line that PID 1 prints.

mod baseline;
pub mod contenders;
pub mod guest;
mod plot;
mod table;
mod throughput;

use std::fs;
use std::path::{Path, PathBuf};

use ::boot::machine::accel::probe::probe;
use ::boot::machine::accel::{Choice, choose, trial_process};
use ::boot::machine::qemu::Accel;
use ::boot::machine::target::{TARGETS, Target};
use anyhow::{Context, Result};

use crate::print::{print, progress};

use contenders::System;
use guest::Guest;
use table::{Results, Row};

/// Boots the system beside its peers: seconds from the start to "Hello, world!"
///
/// In the table, everything is divided by its target's baseline, which is a guest that only prints.
///
/// On a machine with other things to do, the CPU's seconds and the counts are what to look at.
#[derive(clap::Args)]
pub struct Options {
    /// A system to boot: its target, and a directory with what `.#image` has. Several: with commas
    #[arg(
        long = "system",
        value_name = "TARGET=DIR",
        env = "BENCH_SYSTEMS",
        value_delimiter = ',',
        required = true,
        value_parser = System::parse
    )]
    systems: Vec<System>,

    /// Who executes the guests' instructions. Under KVM they are not counted, and only the host's own
    /// architecture can be measured
    #[arg(long, value_name = "NAME", value_enum, default_value = "tcg")]
    accel: Choice,

    /// The kernel of the article that this grew out of, a bzImage, to be a peer
    #[arg(
        long,
        value_name = "FILE",
        env = "BENCH_ARTICLE_KERNEL",
        requires = "article_initrd"
    )]
    article_kernel: Option<PathBuf>,

    /// The article's initramfs
    #[arg(long, value_name = "FILE", env = "BENCH_ARTICLE_INITRD")]
    article_initrd: Option<PathBuf>,

    /// Plugin for QEMU that counts instructions; without it they are not counted
    #[arg(long, value_name = "FILE", env = "BENCH_COUNT")]
    count: Option<PathBuf>,

    /// How often each contender runs
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,

    /// How many boots to measure throughput with, for each number of jobs; 0: none
    #[arg(long, value_name = "N", default_value_t = 64)]
    boots: u32,

    /// File to write the results to, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Directory to draw the results in, as speed.svg and throughput.svg
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
}

/// Draws the results of `bench boot` anew
#[derive(clap::Args)]
pub struct Plot {
    /// What `bench boot --json` has written
    results: PathBuf,

    /// Directory to draw them in, as speed.svg and throughput.svg
    directory: PathBuf,
}

/// How many QEMUs at once.
const JOBS: &[u32] = &[1, 2, 3, 4, 6, 8, 12, 16];

/// Boots all contenders once, then all once more, and so on, so that whatever else the machine does
/// meanwhile hits all of them.
pub fn run(options: &Options) -> Result<()> {
    let work = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let contenders = contenders(options, work.path())?;
    let mut rows: Vec<_> = contenders.iter().map(Row::new).collect();
    for round in 0..options.runs {
        for (guest, row) in contenders.iter().zip(&mut rows) {
            row.add(&guest.boot()?);
        }
        progress(format_args!("round {} of {}", round + 1, options.runs));
    }
    if let Some(plugin) = &options.count {
        let counted = |(guest, _): &(&Guest, _)| guest.accel == Some(Accel::Tcg);
        for (guest, row) in contenders.iter().zip(&mut rows).filter(counted) {
            row.counts = Some(guest.count(plugin, work.path())?);
        }
    }
    let mut throughput = Vec::new();
    if options.boots > 0 {
        for &jobs in JOBS {
            let measured = throughput::measure(&contenders[1], jobs, options.boots)?;
            progress(format_args!(
                "{jobs} at once: {:.1} boots per second",
                measured.per_second()
            ));
            throughput.push(measured);
        }
    }
    let results = Results::new(&contenders[0].command()[0], rows, throughput)?;
    // If nobody gets to see them, they are still to be in the files.
    let printed = print(&results);
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&results)?;
        write(path, &(json + "\n"))?;
    }
    if let Some(directory) = &options.plot {
        draw(&results, directory)?;
    }
    printed
}

/// Draws results that were recorded.
pub fn plot(options: &Plot) -> Result<()> {
    let path = options.results.display();
    let json = fs::read(&options.results).with_context(|| path.to_string())?;
    let results = serde_json::from_slice(&json).with_context(|| path.to_string())?;
    draw(&results, &options.directory)
}

fn draw(results: &Results, directory: &Path) -> Result<()> {
    write(&directory.join("speed.svg"), &plot::speed(results))?;
    if !results.throughput.is_empty() {
        write(
            &directory.join("throughput.svg"),
            &plot::throughput(results),
        )?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// What boots: of each target the baseline, then our own system, then the article's.
fn contenders(options: &Options, work: &Path) -> Result<Vec<Guest>> {
    let mut contenders = Vec::new();
    let accel = |target: &Target| -> Result<Accel> {
        Ok(choose(options.accel, target.name, || probe(trial_process()))?.accel)
    };
    for system in &options.systems {
        contenders.extend(system.contenders(accel, work)?);
    }
    if let (Some(kernel), Some(initrd)) = (&options.article_kernel, &options.article_initrd) {
        let target = contenders::article_target();
        contenders.push(contenders::article(kernel, initrd, accel(target)?, "")?);
    }
    let place = |guest: &Guest| TARGETS.iter().position(|row| row.name == guest.target);
    contenders.sort_by_key(place);
    Ok(contenders)
}
