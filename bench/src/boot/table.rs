//! The results, as a table and as JSON.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Display, Formatter};
use std::process::Command;

use ::boot::machine::qemu::Accel;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::guest::{Boot, Counts, Guest};
use super::throughput::Throughput;
use crate::report::{Machine, median};

/// The results of the benchmark.
#[derive(Serialize, Deserialize)]
pub struct Results {
    machine: Machine,
    /// What QEMU calls its version.
    qemu: String,
    /// A row for each contender. Those of a target follow each other; the first is its baseline.
    pub rows: Vec<Row>,
    /// With one of our systems on each QEMU.
    pub throughput: Vec<Throughput>,
}

/// What was measured of one contender.
#[derive(Serialize, Deserialize)]
pub struct Row {
    target: Cow<'static, str>,
    pub name: Cow<'static, str>,
    /// Who executed its instructions, by QEMU's name.
    accelerator: Cow<'static, str>,
    /// Size of its kernel.
    bytes: u64,
    /// From the start to the line, of each run, in their order.
    pub seconds: Vec<f64>,
    /// What QEMU used of the CPU until then.
    cpu_seconds: Vec<f64>,
    pub counts: Option<Counts>,
}

impl Row {
    /// A contender, not measured yet.
    pub fn new(guest: &Guest) -> Self {
        Self {
            target: guest.target.into(),
            name: guest.name.into(),
            accelerator: guest.accel.map_or("without QEMU", Accel::name).into(),
            bytes: guest.bytes,
            seconds: vec![],
            cpu_seconds: vec![],
            counts: None,
        }
    }

    /// Adds a run.
    pub fn add(&mut self, boot: &Boot) {
        self.seconds.push(boot.time.as_secs_f64());
        self.cpu_seconds.push(boot.cpu.as_secs_f64());
    }
}

impl Results {
    pub fn new(qemu: &OsStr, rows: Vec<Row>, throughput: Vec<Throughput>) -> Result<Self> {
        let output = Command::new(qemu)
            .arg("--version")
            .output()
            .context("asking QEMU's version")?;
        let version = String::from_utf8_lossy(&output.stdout);
        Ok(Self {
            machine: Machine::here(),
            qemu: version.lines().next().unwrap_or_default().to_owned(),
            rows,
            throughput,
        })
    }
}

/// The rows of one target.
pub struct Group<'a> {
    pub target: &'a str,
    pub rows: &'a [Row],
}

impl<'a> Group<'a> {
    /// What the others are compared with.
    pub fn baseline(&self) -> &'a Row {
        &self.rows[0]
    }

    /// Who executed their instructions, by QEMU's name.
    pub fn accelerator(&self) -> &str {
        &self.baseline().accelerator
    }
}

impl Results {
    /// The rows, target by target.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let chunks = self.rows.chunk_by(|a, b| a.target == b.target);
        chunks.map(|rows| Group {
            target: &rows[0].target,
            rows,
        })
    }
}

impl Display for Results {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(
            f,
            "{}; {}; {} runs",
            self.machine,
            self.qemu,
            self.rows[0].seconds.len()
        )?;
        for group in self.groups() {
            group.fmt(f)?;
        }
        if !self.throughput.is_empty() {
            writeln!(f, "\n{:>6} {:>17}", "jobs", "boots per second")?;
        }
        for row in &self.throughput {
            writeln!(f, "{:>6} {:>17.1}", row.jobs, row.per_second())?;
        }
        Ok(())
    }
}

impl Display for Group<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(
            f,
            "\n{:<22} {:>6} {:>6}  {:>8} {:>17}  {:>8}  {:>11} {:>10} {:>7} {:>10}",
            format!("{}, {}", self.target, self.accelerator()),
            "time",
            "CPU",
            "seconds",
            "from..to",
            "CPU s",
            "executed",
            "translated",
            "blocks",
            "kernel"
        )?;
        let baseline = self.baseline();
        for row in self.rows {
            let (seconds, cpu) = (median(&row.seconds), median(&row.cpu_seconds));
            let least = row.seconds.iter().copied().fold(f64::INFINITY, f64::min);
            let most = row.seconds.iter().copied().fold(0.0, f64::max);
            write!(
                f,
                "{:<22} {:>5.2}x {:>5.2}x  {:>8.3} {:>8.3}..{:>7.3}  {:>8.3}",
                row.name,
                seconds / median(&baseline.seconds),
                cpu / median(&baseline.cpu_seconds),
                seconds,
                least,
                most,
                cpu
            )?;
            match row.counts {
                Some(Counts {
                    executed,
                    translated,
                    blocks,
                }) => {
                    write!(f, "  {executed:>11} {translated:>10} {blocks:>7}")?;
                }
                None => write!(f, "  {:>11} {:>10} {:>7}", "-", "-", "-")?,
            }
            writeln!(f, " {:>10}", row.bytes)?;
        }
        Ok(())
    }
}
