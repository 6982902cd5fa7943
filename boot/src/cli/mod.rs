//! The arguments of `boot`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use boot::files::input;
use boot::machine::target::{RunBy, Target};
use boot::profile::results::ReportArgs;
use boot::streams::say;
use boot::verdict::exit_code::{self, Usage};
use boot::verdict::judge::Goal;
use clap::builder::NonEmptyStringValueParser;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser};

pub mod attached;
pub mod explain;
pub mod matrix;
mod qemu;
pub mod run;
mod values;

use attached::AttachedArgs;
use qemu::QemuArgs;

/// The defaults if stdin is not a terminal. Nobody can press Ctrl-C then, so the boot must end by itself.
const SCRIPT_EXPECT: &str = "Hello, world!";
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Boot a Linux kernel and an initramfs, in QEMU or as user-mode Linux, and report what happened.
///
/// On a terminal, the guest's console is interactive: the guest gets your keys, and Ctrl-C ends the guest.
/// If stdin is not a terminal, --expect 'Hello, world!' and --timeout 60 are the defaults, so that a script
/// never hangs.
///
/// `boot run` runs a program in a kernel of its own; see `boot run --help`. `boot matrix` runs
/// many programs in many kernels; see `boot matrix --help`. `boot explain` judges the log of a boot that something
/// else ran; see `boot explain --help`.
#[derive(Parser)]
#[command(version, after_help = exit_code::HELP)]
pub struct Cli {
    /// Kernel to boot: for x86_64 a vmlinux with a PVH entry or a bzImage, for um a kernel built with
    /// ARCH=um, for other targets an Image; or a directory that `nix build` has made of a kernel
    #[arg(long, env = "BOOT_KERNEL", value_name = "FILE")]
    pub kernel: Option<PathBuf>,

    /// Initramfs to boot
    #[arg(long, env = "BOOT_INITRD", value_name = "FILE")]
    pub initrd: Option<PathBuf>,

    /// QEMU, its accelerator and its machine
    #[command(flatten)]
    pub qemu: QemuArgs,

    /// Architecture of the guest, or um for user-mode Linux, which needs no QEMU
    #[arg(long, env = "BOOT_TARGET", value_name = "NAME", default_value = Target::of_host().name, value_parser = values::target())]
    pub target: &'static Target,

    /// QEMU's CPU model [default: depends on the target]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub cpu: Option<String>,

    /// Number of the guest's processors
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub smp: u32,

    /// Memory of the guest [default: depends on the target]
    #[arg(long, env = "BOOT_MEMORY", value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: Option<u32>,

    /// A network, disks, and directories of the host
    #[command(flatten)]
    pub attached: AttachedArgs,

    /// The system's part of the kernel's command line, before the text of --append
    #[arg(
        long,
        env = "BOOT_CMDLINE",
        value_name = "TEXT",
        default_value = "",
        hide = true,
        allow_hyphen_values = true
    )]
    pub cmdline: String,

    /// Text to append to the kernel's command line
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub append: String,

    /// End with success when a program has written this text to the console, and the guest has come to rest
    /// after it
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    pub expect: Option<String>,

    /// Like --expect, but the text counts whoever writes it: a program, the kernel or the firmware
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true, conflicts_with = "expect")]
    pub expect_anywhere: Option<String>,

    /// The system's text to expect if stdin is not a terminal
    #[arg(long, env = "BOOT_EXPECT", value_name = "TEXT", default_value = SCRIPT_EXPECT, hide = true,
        value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    pub script_expect: String,

    /// The same, but the text counts whoever writes it
    #[arg(long, env = "BOOT_EXPECT_ANYWHERE", value_name = "TEXT", hide = true,
        value_parser = NonEmptyStringValueParser::new(), allow_hyphen_values = true)]
    pub script_expect_anywhere: Option<String>,

    /// After the text, watch the guest for at least this time; a panic in this time is a failure
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = values::seconds, allow_negative_numbers = true)]
    pub settle: Duration,

    /// End with failure if the text has not been seen after this time
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, allow_negative_numbers = true)]
    pub timeout: Option<Duration>,

    /// End with failure if the guest writes nothing for this time before the text
    #[arg(long, value_name = "SECONDS", value_parser = values::positive_seconds, allow_negative_numbers = true)]
    pub stall: Option<Duration>,

    /// Show in front of each line the seconds since the start
    #[arg(long)]
    pub timestamps: bool,

    /// File to write the console's output to, unchanged
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    #[command(flatten)]
    pub results: ReportArgs,

    /// Let the guest wait for a debugger on a socket in the file system, and print the command for gdb;
    /// boot then expects no text and sets no time limit. For user-mode Linux, only print the command
    #[arg(long, value_name = "SOCKET", num_args = 0..=1, require_equals = true, conflicts_with_all = ["timeout", "stall"])]
    pub gdb: Option<Option<PathBuf>>,

    /// Boot this many times without showing the output, and report the failures and the times
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["timestamps", "log", "chart", "summary", "gdb", "dry_run"])]
    pub repeat: Option<u32>,

    /// Number of boots at the same time
    #[arg(long, value_name = "NUMBER", default_value = "1", requires = "repeat", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: u32,

    /// Print the command line of QEMU or user-mode Linux instead of running it
    #[arg(long)]
    pub dry_run: bool,

    /// More arguments for QEMU
    #[arg(last = true, value_name = "ARGS")]
    pub more: Vec<OsString>,

    /// The first option for QEMU on the command line; a variable for all boots does not count
    #[arg(skip)]
    for_qemu: Option<&'static str>,
}

/// The options that only QEMU has: their names for clap and for the user.
const FOR_QEMU: &[(&str, &str)] = &[
    ("qemu", "--qemu"),
    ("machine", "--machine"),
    ("cpu", "--cpu"),
    ("smp", "--smp"),
    ("accel", "--accel"),
    ("net", "--net"),
    ("forward", "--forward"),
    ("disk", "--disk"),
    ("share", "--share"),
    ("more", "-- ARGS"),
];

/// The arguments of the subcommand `name`, if `arguments`, which begin with the program's name, ask for it. Prints an
/// error or the help that they ask for; then it is an exit code, for an error that of [`Usage`].
pub fn subcommand<Arguments: Parser>(
    name: &str,
    mut arguments: impl Iterator<Item = OsString>,
) -> Option<Result<Arguments, exit_code::ExitCode>> {
    let _program = arguments.next()?;
    arguments.next().filter(|first| first == name)?;
    let arguments = [format!("boot {name}").into()].into_iter().chain(arguments);
    Some(Arguments::try_parse_from(arguments).map_err(|error| {
        let _ = error.print();
        match error.use_stderr() {
            true => exit_code::USAGE,
            false => exit_code::SUCCESS,
        }
    }))
}

/// The exit code of the subcommand `name`, if `arguments` ask for it. `command` does its work.
pub fn answer<Arguments: Parser>(
    name: &str,
    arguments: impl Iterator<Item = OsString>,
    command: impl FnOnce(&Arguments) -> Result<exit_code::ExitCode>,
) -> Option<exit_code::ExitCode> {
    let code = subcommand(name, arguments)?.and_then(|arguments| {
        command(&arguments).map_err(|error| {
            say(&format!("boot: {error:#}"));
            exit_code::of_error(&error)
        })
    });
    Some(code.unwrap_or_else(|code| code))
}

impl Cli {
    /// The arguments of this process. Ends it if they are wrong.
    pub fn of_process() -> Cli {
        let matches = Cli::command().get_matches();
        let mut cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        let given =
            |(name, _): &&(&str, _)| matches.value_source(name) == Some(ValueSource::CommandLine);
        cli.for_qemu = FOR_QEMU.iter().find(given).map(|(_, option)| *option);
        cli
    }

    /// Fails if `--machine` names none of the target's, or if an option is for QEMU and the target has none.
    pub fn check_runner_options(&self) -> Result<()> {
        match &self.target.run_by {
            RunBy::Qemu(target) => self.qemu.machine(target).map(|_| ()),
            RunBy::Host => self.refuse_qemu_options(),
        }
    }

    fn refuse_qemu_options(&self) -> Result<()> {
        let target = self.target.name;
        let refused = |option, why| {
            let message = format!("{option}: this option is for QEMU, and not for {target}, {why}");
            Err(Usage(message).into())
        };
        if matches!(self.gdb, Some(Some(_))) {
            return refused("--gdb=SOCKET", "which gdb runs itself; --gdb prints how");
        }
        match self.for_qemu {
            Some(option) => refused(option, "which is a program of the host with one processor"),
            None => Ok(()),
        }
    }

    /// The kernel, if it can be read.
    pub fn kernel(&self) -> Result<PathBuf> {
        let images = self.target.images;
        let in_directory = |directory: &PathBuf| {
            let images = images.iter().map(|image| directory.join(image));
            images.into_iter().find(|image| image.is_file())
        };
        let image = self.kernel.as_ref().and_then(in_directory);
        file("kernel", "kernel", image.as_ref().or(self.kernel.as_ref()))
    }

    /// The initramfs, if it can be read.
    pub fn initrd(&self) -> Result<PathBuf> {
        file("initramfs", "initrd", self.initrd.as_ref())
    }

    /// The text for the end of the kernel's command line. `more` comes first.
    pub fn append(&self, more: Option<String>) -> String {
        let parts = [
            more.as_deref().unwrap_or_default(),
            &self.cmdline,
            &self.append,
        ];
        let parts = parts
            .map(str::trim)
            .into_iter()
            .filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(" ")
    }

    /// The goal of the boot. If it must be `limited`, it has a text and a timeout by default.
    pub fn goal(&self, limited: bool) -> Goal {
        let asked = text(self.expect_anywhere.as_ref(), self.expect.as_ref());
        let of_script = text(
            self.script_expect_anywhere.as_ref(),
            Some(&self.script_expect),
        );
        let ends = asked.is_some() || limited;
        let (text, anywhere) = asked
            .or(of_script)
            .map_or((None, false), |(text, anywhere)| (Some(text), anywhere));
        let (expect, mention) = if ends { (text, None) } else { (None, text) };
        Goal {
            expect,
            mention,
            anywhere,
            settle: self.settle,
            timeout: self.timeout.or(limited.then_some(SCRIPT_TIMEOUT)),
            stall: self.stall,
        }
    }
}

/// The text to expect, and whether it counts anywhere.
fn text(anywhere: Option<&String>, of_program: Option<&String>) -> Option<(String, bool)> {
    let anywhere = anywhere.map(|text| (text.clone(), true));
    anywhere.or_else(|| of_program.map(|text| (text.clone(), false)))
}

/// The file that `--option` or its variable names, if it can be read.
fn file(what: &str, option: &str, path: Option<&PathBuf>) -> Result<PathBuf> {
    let Some(path) = path else {
        let upper = option.to_uppercase();
        let message = format!("no {what}: name one with --{option} FILE or BOOT_{upper}=FILE");
        return Err(Usage(message).into());
    };
    input::readable(what, option, path.clone())
}
