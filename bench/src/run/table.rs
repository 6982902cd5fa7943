//! The results, as a table and as JSON.

use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::report::{Machine, median};

/// The results of the benchmark.
#[derive(Serialize)]
pub struct Results {
    machine: Machine,
    /// What QEMU calls its version.
    qemu: String,
    /// What virtme-ng calls its version, if it was a peer.
    virtme_ng: Option<String>,
    /// A row for each program and contender. Those of a program follow each other.
    rows: Vec<Row>,
    /// With the first program.
    throughput: Vec<Throughput>,
}

/// What was measured of one contender with one program.
#[derive(Serialize)]
pub struct Row {
    pub program: &'static str,
    pub contender: &'static str,
    /// From the start to the exit status, of each run, in their order.
    pub seconds: Vec<f64>,
}

/// What was measured with some number of programs at once.
#[derive(Serialize)]
pub struct Throughput {
    pub contender: &'static str,
    pub jobs: u32,
    pub runs: u32,
    /// From the first start to the last end.
    pub seconds: f64,
}

impl Row {
    /// Nothing is measured yet.
    pub fn new(program: &'static str, contender: &'static str) -> Self {
        Self {
            program,
            contender,
            seconds: vec![],
        }
    }
}

impl Throughput {
    /// Runs per second.
    pub fn per_second(&self) -> f64 {
        f64::from(self.runs) / self.seconds
    }
}

impl Results {
    pub fn new(
        rows: Vec<Row>,
        throughput: Vec<Throughput>,
        virtme_ng: Option<&Path>,
    ) -> Result<Self> {
        Ok(Self {
            machine: Machine::here(),
            qemu: version("qemu-system-x86_64".as_ref())?,
            virtme_ng: virtme_ng.map(version).transpose()?,
            rows,
            throughput,
        })
    }
}

/// The first line that `program --version` prints.
fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.with_context(|| format!("asking the version of {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

impl Display for Results {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{}; {}", self.machine, self.qemu)?;
        if let Some(version) = &self.virtme_ng {
            write!(f, "; {version}")?;
        }
        writeln!(f, "; {} runs", self.rows[0].seconds.len())?;
        for rows in self.rows.chunk_by(|a, b| a.program == b.program) {
            writeln!(
                f,
                "\n{:<28} {:>9} {:>8} {:>17}",
                rows[0].program, "time", "seconds", "from..to"
            )?;
            for row in rows {
                let seconds = median(&row.seconds);
                let least = row.seconds.iter().copied().fold(f64::INFINITY, f64::min);
                let most = row.seconds.iter().copied().fold(0.0, f64::max);
                writeln!(
                    f,
                    "{:<28} {:>8.2}x {seconds:>8.3} {least:>8.3}..{most:>7.3}",
                    row.contender,
                    seconds / median(&rows[0].seconds),
                )?;
            }
        }
        if !self.throughput.is_empty() {
            writeln!(f, "\n{:<28} {:>9} {:>17}", "", "jobs", "runs per second")?;
        }
        for row in &self.throughput {
            writeln!(
                f,
                "{:<28} {:>9} {:>17.1}",
                row.contender,
                row.jobs,
                row.per_second()
            )?;
        }
        Ok(())
    }
}
