//! Measures what this repository makes beside its peers: `bench NAME`, a benchmark a file.

mod boot;
mod measure;
mod packer;
mod print;
mod report;
mod run;

use std::env;
use std::process::ExitCode;

use ::boot::machine::accel;
use anyhow::Result;
use clap::Parser;

/// Measures what this repository makes beside its peers, in the same run
#[derive(Parser)]
#[command(version)]
enum Benchmark {
    Boot(boot::Options),
    Plot(boot::Plot),
    Packer(packer::Options),
    Run(run::Options),
}

fn main() -> Result<ExitCode> {
    if let Some(code) = accel::answer(env::args_os()) {
        return Ok(code);
    }
    match Benchmark::parse() {
        Benchmark::Boot(options) => boot::run(&options)?,
        Benchmark::Plot(options) => boot::plot(&options)?,
        Benchmark::Packer(options) => packer::run(&options)?,
        Benchmark::Run(options) => run::run(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}
