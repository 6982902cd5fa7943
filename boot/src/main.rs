//! `boot`: the command line of the crate of that name.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use boot::command::{Accel, Vm};
use boot::input;
use boot::run::run;
use boot::stderr::say;
use boot::target::{TARGETS, Target};
use boot::verdict::Verdict;
use boot::watch::Goal;
use clap::Parser;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};

/// Exit code for what is wrong with the command line or the host.
const HOST_ERROR: u8 = 2;

/// Where stdin is no terminal nobody can press Ctrl-C, so there the boot has to have an end.
const SCRIPT_EXPECT: &str = "Hello, world!";
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Boot a Linux kernel and an initramfs in QEMU, and say what happened.
///
/// On a terminal the guest's console is live: what you type goes to the guest, Ctrl-C ends it.
/// Where stdin is no terminal, --expect 'Hello, world!' and --timeout 60 are the defaults, so that
/// a script never hangs.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Cli {
    /// Kernel to boot: vmlinux with a PVH entry, or bzImage
    #[arg(long, env = "BOOT_KERNEL", value_name = "FILE")]
    kernel: Option<PathBuf>,

    /// Initramfs to boot it with
    #[arg(long, env = "BOOT_INITRD", value_name = "FILE")]
    initrd: Option<PathBuf>,

    /// QEMU to boot it in [default: the target's, found in PATH]
    #[arg(long, env = "BOOT_QEMU", value_name = "FILE")]
    qemu: Option<PathBuf>,

    /// Architecture of the guest
    #[arg(long, env = "BOOT_TARGET", value_name = "NAME", default_value = TARGETS[0].name, value_parser = target())]
    target: &'static Target,

    /// QEMU's machine model [default: the target's first]
    #[arg(long, value_name = "NAME")]
    machine: Option<String>,

    /// Memory of the guest [default: the target's]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,

    /// Text to append to the kernel's command line
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    append: String,

    /// Who executes the guest's instructions: QEMU (tcg) or this CPU (kvm)
    #[arg(long, value_name = "NAME", value_enum, default_value = "tcg")]
    accel: Accel,

    /// End with success as soon as this is seen on the console
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    expect: Option<String>,

    /// Keep watching that long after the text was seen; a panic in that time is a failure
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds, allow_negative_numbers = true)]
    settle: Duration,

    /// End with failure if the text was not seen in that time
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds, allow_negative_numbers = true)]
    timeout: Option<Duration>,

    /// File to write the console's bytes to
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

const EXIT_CODES: &str = "\
Exit codes:
    0  the expected text was seen, or the user ended the session
    1  the guest failed: a kernel panic, or it was gone before the text
    2  the command line or the host is at fault
  124  timeout
128+n  ended by signal n; 130 also if Ctrl-C came before the expected text";

fn target() -> impl TypedValueParser<Value = &'static Target> {
    PossibleValuesParser::new(TARGETS.iter().map(|target| target.name))
        .try_map(|name| Target::named(&name).ok_or("not in the table"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn positive_seconds(text: &str) -> Result<Duration, String> {
    seconds(text).and_then(|time| {
        if time.is_zero() {
            Err("must be more than 0".to_owned())
        } else {
            Ok(time)
        }
    })
}

impl Cli {
    fn boot(self) -> Result<Verdict> {
        let interactive = io::stdin().is_terminal();
        let target = self.target;
        let machine = match &self.machine {
            None => &target.machines[0],
            Some(name) => target.machine(name).with_context(|| {
                let names: Vec<_> = target.machines.iter().map(|machine| machine.name).collect();
                format!(
                    "{name}: no such machine (--machine takes {})",
                    names.join(", ")
                )
            })?,
        };
        let vm = Vm {
            target,
            machine,
            qemu: self.qemu.unwrap_or_else(|| target.qemu.into()),
            accel: self.accel,
            memory: self.memory.unwrap_or(target.memory),
            kernel: input::readable("kernel", "kernel", self.kernel)?,
            initrd: input::readable("initramfs", "initrd", self.initrd)?,
            append: self.append,
        };
        let log = self
            .log
            .as_deref()
            .map(|log| input::log(log, [&vm.kernel, &vm.initrd]))
            .transpose()?;
        let goal = Goal {
            expect: self
                .expect
                .or_else(|| (!interactive).then(|| SCRIPT_EXPECT.to_owned())),
            settle: self.settle,
            timeout: self
                .timeout
                .or_else(|| (!interactive).then_some(SCRIPT_TIMEOUT)),
        };
        run(&vm, goal, log, interactive)
    }
}

fn main() -> ExitCode {
    let (sentence, code) = match Cli::parse().boot() {
        Ok(verdict) => (verdict.to_string(), verdict.exit_code()),
        Err(error) => (format!("{error:#}"), HOST_ERROR),
    };
    say(&format!("boot: {sentence}"));
    ExitCode::from(code)
}
