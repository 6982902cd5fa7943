//! `boot`: the command line of the crate of that name.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result};
use boot::files::input;
use boot::inspect;
use boot::machine::accel::probe::probe;
use boot::machine::accel::{self, Choice};
use boot::machine::command::{self, Accel, Vm};
use boot::machine::target::{TARGETS, Target};
use boot::machine::{gdb, reaper, sandbox, tsc};
use boot::profile::results::ReportArgs;
use boot::profile::timeline::Timeline;
use boot::session::repeat::repeat;
use boot::session::run::{Output, run};
use boot::session::signals::Signals;
use boot::streams::Patient;
use boot::streams::say;
use boot::verdict::Verdict;
use boot::verdict::exit_code::{self, Usage};
use boot::verdict::judge::Goal;
use clap::Parser;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};

/// Where stdin is no terminal nobody can press Ctrl-C, so there the boot has to have an end.
const SCRIPT_EXPECT: &str = "Hello, world!";
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Boot a Linux kernel and an initramfs in QEMU, and say what happened.
///
/// On a terminal the guest's console is live: what you type goes to the guest, Ctrl-C ends it.
/// Where stdin is no terminal, --expect 'Hello, world!' and --timeout 60 are the defaults, so that
/// a script never hangs.
#[derive(Parser)]
#[command(version, after_help = exit_code::HELP)]
struct Cli {
    /// Kernel to boot: vmlinux with a PVH entry, or bzImage; elsewhere Image
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
    #[arg(long, env = "BOOT_MACHINE", value_name = "NAME")]
    machine: Option<String>,

    /// QEMU's model of the CPU [default: the target's]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    cpu: Option<String>,

    /// Processors of the guest
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    smp: u32,

    /// Memory of the guest [default: the target's]
    #[arg(long, env = "BOOT_MEMORY", value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,

    /// What the system says in the kernel's command line, before what --append adds
    #[arg(
        long,
        env = "BOOT_CMDLINE",
        value_name = "TEXT",
        default_value = "",
        hide = true,
        allow_hyphen_values = true
    )]
    cmdline: String,

    /// Text to append to the kernel's command line
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    append: String,

    /// Who executes the guest's instructions: this CPU (kvm), QEMU (tcg), or this CPU if that works
    /// (auto)
    #[arg(
        long,
        env = "BOOT_ACCEL",
        value_name = "NAME",
        value_enum,
        default_value = "auto"
    )]
    accel: Choice,

    /// Program that tries KVM out in boot's place, for tests
    #[arg(long, env = "BOOT_KVM_TRIAL", value_name = "FILE", hide = true)]
    kvm_trial: Option<PathBuf>,

    /// End with success when a program wrote this to the console, and the guest then came to rest
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    expect: Option<String>,

    /// The same, whoever wrote it: a program, the kernel, or what runs before it
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true, conflicts_with = "expect")]
    expect_anywhere: Option<String>,

    /// What the system says that a script waits for
    #[arg(long, env = "BOOT_EXPECT", value_name = "TEXT", default_value = SCRIPT_EXPECT, hide = true,
        value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    script_expect: String,

    /// The same, whoever writes it
    #[arg(long, env = "BOOT_EXPECT_ANYWHERE", value_name = "TEXT", hide = true,
        value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    script_expect_anywhere: Option<String>,

    /// Watch for that much longer after the text was seen; a panic in that time is a failure
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds, allow_negative_numbers = true)]
    settle: Duration,

    /// End with failure if the text was not seen in that time
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds, allow_negative_numbers = true)]
    timeout: Option<Duration>,

    /// End with failure if the guest was silent for that time before the text was seen
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds, allow_negative_numbers = true)]
    stall: Option<Duration>,

    /// Show in front of each line how many seconds after QEMU's start it came
    #[arg(long)]
    timestamps: bool,

    /// File to write the console's bytes to
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    #[command(flatten)]
    wanted: ReportArgs,

    /// Have the guest wait for a debugger, on a socket in the file system, and say what to type;
    /// nothing is expected of it, and no time runs out
    #[arg(long, value_name = "SOCKET", num_args = 0..=1, require_equals = true, conflicts_with_all = ["timeout", "stall"])]
    gdb: Option<Option<PathBuf>>,

    /// Boot that often, show no guest's output, and say how many failed and how long they took
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["timestamps", "log", "report", "chart", "summary", "gdb", "dry_run"])]
    repeat: Option<u32>,

    /// How many of these at once
    #[arg(long, value_name = "NUMBER", default_value = "1", requires = "repeat", value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,

    /// Print QEMU's command line, and do not run it
    #[arg(long)]
    dry_run: bool,

    /// More arguments for QEMU
    #[arg(last = true, value_name = "ARGS")]
    more: Vec<OsString>,
}

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

/// The file that an option has to name, or its variable.
fn given(what: &str, option: &str, path: Option<PathBuf>) -> Result<PathBuf, Usage> {
    let upper = option.to_uppercase();
    let missing = || format!("no {what}: name one with --{option} FILE or BOOT_{upper}=FILE");
    path.ok_or_else(|| Usage(missing()))
}

impl Cli {
    fn boot(self, signals: &Signals) -> Result<exit_code::ExitCode> {
        let interactive = io::stdin().is_terminal() && self.repeat.is_none();
        let target = self.target;
        let machine = match &self.machine {
            None => &target.machines[0],
            Some(name) => target.machine(name).ok_or_else(|| {
                let names: Vec<_> = target.machines.iter().map(|machine| machine.name).collect();
                let names = names.join(", ");
                Usage(format!("{name}: no such machine (--machine takes {names})"))
            })?,
        };
        let kernel = given("kernel", "kernel", self.kernel)?;
        let kernel = input::readable("kernel", "kernel", kernel)?;
        let initrd = given("initramfs", "initrd", self.initrd)?;
        let initrd = input::readable("initramfs", "initrd", initrd)?;
        let inputs = inspect::inputs(target, &kernel, &initrd)?;
        let acceleration = accel::choose(self.accel, target, || {
            let program = self.kvm_trial.map(Command::new);
            probe(program.unwrap_or_else(accel::trial_process))
        })?;
        if self.accel == Choice::Auto && acceleration.accel == Accel::Tcg {
            say(&format!("boot: accelerator: {acceleration}"));
        }
        let qemu = command::program(self.qemu.unwrap_or_else(|| target.qemu.into()));
        let vm = Vm {
            target,
            machine,
            sandbox: sandbox::wanted(&qemu, &self.more),
            qemu,
            accel: acceleration.accel,
            cpu: self.cpu.unwrap_or_else(|| target.cpu.to_owned()),
            processors: self.smp,
            memory: self.memory.unwrap_or(target.memory),
            tsc_khz: tsc::of_guest(target, acceleration.accel),
            kernel,
            initrd,
            append: [self.cmdline, self.append].join(" ").trim().to_owned(),
            gdb: self.gdb.map(gdb::socket).transpose()?,
            more: self.more,
        };
        inspect::check_qemu(&inputs, &vm.kernel, &vm.qemu)?;
        if let Some(caution) = vm.caution() {
            say(&format!("boot: {caution}"));
        }
        if self.dry_run {
            return match writeln!(Patient(io::stdout()), "{}", vm.shell_line()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    Ok(Verdict::StdoutClosed.exit_code())
                }
                printed => printed
                    .map(|()| exit_code::SUCCESS)
                    .context("stdout: cannot print QEMU's command line"),
            };
        }
        let log = self.log.as_deref();
        let results = self.wanted.prepare(&vm, &acceleration, inputs, log)?;
        let log = log
            .map(|log| input::log(log, [&vm.kernel, &vm.initrd]))
            .transpose()?;
        if let Some(socket) = &vm.gdb {
            let command = gdb::command(target, socket, self.wanted.symbols.as_deref());
            say(&format!(
                "boot: the guest waits for a debugger; in another terminal, type:\n  {command}"
            ));
        }
        // On a terminal somebody can press Ctrl-C; what a debugger holds has no hurry.
        let limited = !interactive && vm.gdb.is_none();
        let asked = (self.expect_anywhere.map(|text| (text, true)))
            .or_else(|| self.expect.map(|text| (text, false)));
        let of_script = || {
            let anywhere = self.script_expect_anywhere.map(|text| (text, true));
            anywhere.unwrap_or((self.script_expect, false))
        };
        let (expect, anywhere) = asked
            .or_else(|| limited.then(of_script))
            .map_or((None, false), |(text, anywhere)| (Some(text), anywhere));
        let goal = Goal {
            expect,
            anywhere,
            settle: self.settle,
            timeout: self.timeout.or_else(|| limited.then_some(SCRIPT_TIMEOUT)),
            stall: self.stall,
        };
        if let Some(times) = self.repeat {
            return Ok(repeat(&vm, &goal, times, self.jobs, signals));
        }
        let mut timeline = Timeline::new();
        let output = Output {
            hidden: false,
            log,
            timestamps: self.timestamps,
            record: results.is_some().then_some(&mut timeline),
        };
        let end = run(&vm, goal, output, interactive, signals);
        if let Ok(verdict) = &end {
            say(&format!("boot: {verdict}"));
        }
        let told = results.map_or(Ok(()), |results| results.write(&end, timeline));
        let code = end?.exit_code();
        told.map(|()| code)
    }
}

fn main() -> ExitCode {
    let answer = accel::answer(env::args_os()).or_else(|| reaper::answer(env::args_os()));
    if let Some(code) = answer {
        return code;
    }
    let cli = Cli::parse();
    let told = |error: anyhow::Error| {
        say(&format!("boot: {error:#}"));
        exit_code::of_error(&error)
    };
    ExitCode::from(match Signals::take_over() {
        Ok(signals) => {
            let code = cli.boot(&signals).unwrap_or_else(told);
            // A signal that came when the boot was over has its exit code, too.
            signals.exit_code().unwrap_or(code)
        }
        Err(error) => told(anyhow::Error::new(error).context("cannot handle signals")),
    })
}
