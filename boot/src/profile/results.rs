//! The results of a boot beside its verdict: `--report`, `--chart` and `--summary`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::files::outfile::OutFile;
use crate::inspect::Inputs;
use crate::machine::accel::Acceleration;
use crate::machine::vm::{Runner, Vm};
use crate::profile::analysis::Analysis;
use crate::profile::chart::chart;
use crate::profile::report::{Before, Run, repeated, report};
use crate::profile::summary::summary;
use crate::profile::symbols::Symbols;
use crate::profile::timeline::Timeline;
use crate::streams::say;
use crate::verdict::Verdict;

/// The arguments for the results.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// File to write all facts about the boot to, as JSON (docs/report.md)
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// File to draw the boot into, as a timeline in SVG
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,

    /// Show at the end how the boot spent its time
    #[arg(long)]
    pub summary: bool,

    /// Unstripped vmlinux of the kernel: the names of functions for --report, --chart, --summary and --gdb
    #[arg(long, env = "BOOT_DEBUG_KERNEL", value_name = "FILE")]
    pub symbols: Option<PathBuf>,
}

/// The requested results and their files. They are written after the boot.
#[derive(Debug)]
pub struct Results {
    report: Option<(OutFile, Before)>,
    chart: Option<OutFile>,
    summary: bool,
    symbols: Symbols,
    command_line: String,
    title: String,
}

impl ReportArgs {
    /// Prepares the results for a boot of `vm`. Nothing if no result was requested. Fails if a file cannot
    /// be written, or is the kernel, the initramfs or the `log`.
    pub fn prepare(
        &self,
        vm: &Vm,
        acceleration: Option<&Acceleration>,
        inputs: Inputs,
        log: Option<&Path>,
    ) -> Result<Option<Results>> {
        if self.report.is_none() && self.chart.is_none() && !self.summary {
            return Ok(None);
        }
        let mut others: Vec<&Path> = vec![&vm.kernel, &vm.initrd];
        others.extend(log);
        let checked = |what, path: &Option<PathBuf>, others: &[&Path]| {
            let checked = |path: &PathBuf| OutFile::checked(what, path, others);
            path.as_ref().map(checked).transpose()
        };
        let report = checked("report", &self.report, &others)?;
        others.extend(self.report.as_deref());
        let chart = checked("chart", &self.chart, &others)?;
        let with_facts = |file| -> Result<_> { Ok((file, Before::new(vm, acceleration, inputs)?)) };
        let symbols = self.symbols.as_deref().map(Symbols::read).transpose()?;
        let kernel = vm.kernel.file_name().unwrap_or(vm.kernel.as_os_str());
        Ok(Some(Results {
            report: report.map(with_facts).transpose()?,
            chart,
            summary: self.summary,
            symbols: symbols.unwrap_or_default(),
            command_line: vm.command_line(),
            title: title(vm, without_store_hash(&kernel.to_string_lossy())),
        }))
    }
}

/// The title of the chart of a boot of `kernel`.
fn title(vm: &Vm, kernel: &str) -> String {
    let (machine, target) = (vm.machine_name(), vm.target.name);
    match &vm.runner {
        Runner::Qemu(qemu) => format!("{kernel} on {machine}, {target}, {}", qemu.accel.name()),
        Runner::UserMode(_) => format!("{kernel} on {machine}, {target}"),
    }
}

/// The name of a file without the hash of the Nix store, which has 32 characters.
fn without_store_hash(name: &str) -> &str {
    match name.split_once('-') {
        Some((hash, rest)) if hash.len() == 32 => rest,
        _ => name,
    }
}

impl Results {
    /// Writes the report on many boots, which took the time `took` together. (They have no other results.)
    pub fn write_repeated(self, runs: &[Run], took: Duration) -> Result<()> {
        self.report.map_or(Ok(()), |(file, before)| {
            file.write(&repeated(&before, runs, took))
        })
    }

    /// Writes the results of the boot that `timeline` recorded.
    pub fn write(self, end: &Result<Verdict>, timeline: Timeline) -> Result<()> {
        let boot = Analysis::new(timeline, &self.command_line, &self.symbols);
        if self.summary {
            summary(&boot).iter().for_each(|line| say(line));
        }
        // Write the chart even if the report fails.
        let reported = self.report.map_or(Ok(()), |(file, before)| {
            file.write(&report(&before, end, &boot))
        });
        let drawn = self
            .chart
            .map_or(Ok(()), |file| file.write(&chart(&self.title, end, &boot)));
        reported.and(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_store_path_is_removed() {
        let stored = "s4swi3h2z6fsj9gpx4rwqy1s3b6lkkhd-kernel-vmlinux";
        assert_eq!(without_store_hash(stored), "kernel-vmlinux");
        assert_eq!(without_store_hash("kernel-vmlinux"), "kernel-vmlinux");
        assert_eq!(without_store_hash("vmlinux"), "vmlinux");
    }
}
