//! Measures what this repository makes beside its peers: `bench NAME`, a benchmark a file.

mod measure;
mod packer;
mod report;

use anyhow::Result;
use clap::Parser;

/// Measures what this repository makes beside its peers, in the same run
#[derive(Parser)]
#[command(version)]
enum Benchmark {
    Packer(packer::Options),
}

fn main() -> Result<()> {
    match Benchmark::parse() {
        Benchmark::Packer(options) => packer::run(&options),
    }
}
