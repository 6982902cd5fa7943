//! Measures what this repository makes beside its peers: `bench NAME`, a benchmark a file.

mod boot;
mod measure;
mod packer;
mod report;

use anyhow::Result;
use clap::Parser;

/// Measures what this repository makes beside its peers, in the same run
#[derive(Parser)]
#[command(version)]
enum Benchmark {
    Boot(boot::Options),
    Packer(packer::Options),
}

fn main() -> Result<()> {
    match Benchmark::parse() {
        Benchmark::Boot(options) => boot::run(&options),
        Benchmark::Packer(options) => packer::run(&options),
    }
}
