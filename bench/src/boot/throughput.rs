//! Many boots, some at a time.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::guest::Guest;
use crate::measure::at_once;

/// What was measured with some number of QEMUs at once.
#[derive(Serialize, Deserialize)]
pub struct Throughput {
    pub jobs: u32,
    boots: u32,
    /// From the first start to the last line.
    seconds: f64,
}

impl Throughput {
    /// Boots per second.
    pub fn per_second(&self) -> f64 {
        f64::from(self.boots) / self.seconds
    }
}

/// Boots `guest` `boots` times, `jobs` at once.
pub fn measure(guest: &Guest, jobs: u32, boots: u32) -> Result<Throughput> {
    let begun = AtomicU32::new(0);
    let more = || begun.fetch_add(1, Ordering::Relaxed) < boots;
    let (boots, time) = at_once(jobs, more, || guest.boot().map(drop))?;
    Ok(Throughput {
        jobs,
        boots,
        seconds: time.as_secs_f64(),
    })
}
