//! The arguments of `boot explain`.

use std::path::PathBuf;
use std::time::Duration;

use boot::verdict::judge::Goal;
use clap::Parser;
use clap::builder::NonEmptyStringValueParser;

use super::{text, values};

/// Say in words what the log of a boot shows, whatever wrote it.
///
/// LOG is the output of a serial console, a CI's log, dmesg's or journalctl's output, or a serial port. Each boot in it gets a verdict,
/// with the line that led to it and advice. Time stamps and names in front of the lines do not matter. docs/explain.md has examples.
#[derive(Parser)]
#[command(name = "boot explain", version, after_help = HELP)]
pub struct ExplainCli {
    /// File to read; - or nothing means stdin
    #[arg(value_name = "LOG", default_value = "-", hide_default_value = true)]
    pub log: PathBuf,

    /// A boot is good if a program wrote this text
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    expect: Option<String>,

    /// Like --expect, but the text counts whoever writes it: a program, the kernel or the firmware
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true, conflicts_with = "expect")]
    expect_anywhere: Option<String>,

    /// Unstripped vmlinux of the kernel: the lines of source code for its first stack trace
    #[arg(long, env = "BOOT_DEBUG_KERNEL", value_name = "FILE")]
    pub symbols: Option<PathBuf>,

    /// Judge only the last boot in the log
    #[arg(long)]
    pub last: bool,

    /// File to write the verdicts to, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Follow a file that grows, or a serial port, until the boot is over; the log is copied to stdout
    #[arg(long, short)]
    pub follow: bool,

    /// With --follow: the speed of the serial port, in bits per second [default: unchanged]
    #[arg(long, value_name = "NUMBER", requires = "follow", value_parser = clap::value_parser!(u32).range(1..))]
    pub baud: Option<u32>,

    /// With --follow: after the text, read on for at least this time; a panic in this time is a failure
    #[arg(long, value_name = "SECONDS", default_value = "0", hide_default_value = true, requires = "follow", value_parser = values::seconds, allow_negative_numbers = true)]
    settle: Duration,

    /// With --follow: end with failure if the boot is not over after this time
    #[arg(long, value_name = "SECONDS", requires = "follow", value_parser = values::positive_seconds, allow_negative_numbers = true)]
    timeout: Option<Duration>,

    /// With --follow: end with failure if the log does not grow for this time
    #[arg(long, value_name = "SECONDS", requires = "follow", value_parser = values::positive_seconds, allow_negative_numbers = true)]
    stall: Option<Duration>,
}

impl ExplainCli {
    /// What a good boot is.
    pub fn goal(&self) -> Goal {
        let text = text(self.expect_anywhere.as_ref(), self.expect.as_ref());
        let (expect, anywhere) =
            text.map_or((None, false), |(text, anywhere)| (Some(text), anywhere));
        Goal {
            expect,
            mention: None,
            anywhere,
            settle: self.settle,
            timeout: self.timeout,
            stall: self.stall,
        }
    }
}

const HELP: &str = "\
Exit codes, as `git bisect run` understands them. With several boots, a failed one counts most:
    0  the expected text was seen; or no text was expected, and the guest announced that it powers off, halts or restarts
    1  a boot failed, or the log ends without the expected text
    2  the command line is invalid
  124  --timeout or --stall expired, and nothing reported a problem
  125  the log cannot be read, or does not say how the boot ended: it just ends, it is not text, or QEMU failed
128+n  signal n ended it";
