//! Results, as a table and as JSON.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

use crate::measure::Cost;

/// The results of one benchmark.
#[derive(Debug, Serialize)]
pub struct Report {
    /// On what.
    pub machine: Machine,
    /// What was worked on.
    pub trees: Vec<Tree>,
}

/// The results for one tree of files.
#[derive(Debug, Serialize)]
pub struct Tree {
    /// The name that the user gave it.
    pub name: String,
    /// What is in it.
    pub subject: String,
    /// A row for each contender.
    pub rows: Vec<Row>,
}

/// What results depend on.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    cpu: String,
    cores: usize,
    /// Its kernel.
    linux: String,
}

impl Machine {
    /// The machine that this runs on.
    pub fn here() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info.lines().find(|line| line.starts_with("model name"));
        let cpu = model.and_then(|line| line.split(": ").nth(1));
        let linux = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu: cpu.unwrap_or("unknown").to_owned(),
            cores: thread::available_parallelism().map_or(1, Into::into),
            linux: linux.trim().to_owned(),
        }
    }
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let Machine { cpu, cores, linux } = self;
        write!(f, "{cores} x {cpu}, Linux {linux}")
    }
}

/// What was measured of one contender.
#[derive(Debug, Serialize)]
pub struct Row {
    group: &'static str,
    name: &'static str,
    script: &'static str,
    /// Of each run, in their order.
    seconds: Vec<f64>,
    /// The processor time of each run. On a busy machine, it varies less.
    cpu_seconds: Vec<f64>,
    /// Size of the result.
    bytes: u64,
    /// Resident bytes of its largest process, at the worst.
    memory: u64,
}

impl Row {
    /// A contender, not measured yet. The rows of a group follow each other; the first is what the
    /// others are compared with.
    pub fn new(group: &'static str, name: &'static str, script: &'static str) -> Self {
        Self {
            group,
            name,
            script,
            seconds: Vec::new(),
            cpu_seconds: Vec::new(),
            bytes: 0,
            memory: 0,
        }
    }

    /// Adds a run.
    pub fn add(&mut self, cost: &Cost, bytes: u64) {
        self.seconds.push(cost.time.as_secs_f64());
        self.cpu_seconds.push(cost.cpu.as_secs_f64());
        self.bytes = bytes;
        self.memory = self.memory.max(cost.memory);
    }

    fn median(&self) -> f64 {
        median(&self.seconds)
    }
}

/// The middle one of `numbers`, of which there is at least one.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        self.trees.iter().try_for_each(|tree| write!(f, "\n{tree}"))
    }
}

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.subject)?;
        for group in self.rows.chunk_by(|a, b| a.group == b.group) {
            let first = &group[0];
            writeln!(
                f,
                "\n{:<28} {:>8} {:>8} {:>9} {:>9} {:>12} {:>9}",
                group[0].group, "time", "size", "seconds", "CPU", "bytes", "memory"
            )?;
            for row in group {
                writeln!(
                    f,
                    "{:<28} {:>7.2}x {:>7.3}x {:>9.2} {:>9.2} {:>12} {:>5} MiB",
                    row.name,
                    row.median() / first.median(),
                    row.bytes as f64 / first.bytes as f64,
                    row.median(),
                    median(&row.cpu_seconds),
                    row.bytes,
                    row.memory >> 20,
                )?;
            }
        }
        Ok(())
    }
}
