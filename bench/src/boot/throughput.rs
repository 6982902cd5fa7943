//! Many boots, some at a time.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::guest::Guest;

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
    let job = || -> Result<()> {
        while begun.fetch_add(1, Ordering::Relaxed) < boots {
            guest.boot()?;
        }
        Ok(())
    };
    let started = Instant::now();
    thread::scope(|scope| {
        let jobs: Vec<_> = (0..jobs).map(|_| scope.spawn(job)).collect();
        jobs.into_iter()
            .try_for_each(|job| job.join().expect("it does not panic"))
    })?;
    Ok(Throughput {
        jobs,
        boots,
        seconds: started.elapsed().as_secs_f64(),
    })
}
