//! `boot run`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use boot::files::input;
use boot::inspect::{self, Inputs};
use boot::machine::accel::{Acceleration, Choice};
use boot::machine::qemu::{self, Accel, Qemu};
use boot::machine::target::{QemuTarget, RunBy, TARGETS, Target};
use boot::machine::user_mode::{self, UserMode};
use boot::machine::vm::{Runner, Vm};
use boot::machine::{sandbox, tsc};
use boot::program::choice;
use boot::program::guest::{Guest, HostFiles, search_path};
use boot::program::pack::{self, Contents, Packed, State};
use boot::session::program::{self, End, Ended};
use boot::session::terminal;
use boot::streams::say;
use boot::verdict::Verdict;
use boot::verdict::exit_code::{self, ExitCode};
use boot::verdict::judge::Goal;
use clap::Parser;

use crate::cli::run::RunCli;

/// What runs the program.
struct Place {
    target: &'static Target,
    /// For QEMU.
    acceleration: Option<Acceleration>,
    /// Why it was chosen.
    reason: String,
}

/// The exit code of `boot run`, if the arguments of this process ask for that.
pub fn answer(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let _program = arguments.next()?;
    arguments.next().filter(|first| first == "run")?;
    let arguments = [OsString::from("boot run")].into_iter().chain(arguments);
    let cli = match RunCli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            let failed = error.use_stderr();
            return Some(if failed {
                exit_code::of_run(exit_code::USAGE, false)
            } else {
                exit_code::SUCCESS
            });
        }
    };
    let code = run(&cli).unwrap_or_else(|error| {
        say(&format!("boot: {error:#}"));
        exit_code::of_run(exit_code::of_error(&error), cli.bisect)
    });
    Some(code)
}

fn run(cli: &RunCli) -> Result<ExitCode> {
    let place = choose(cli)?;
    let mut guest = guest(cli)?;
    let (kernel, initramfs) = cli.guest(place.target)?;
    let kernel = input::readable("kernel", "kernel", kernel)?;
    let initramfs = input::readable("initramfs", "guests", initramfs)?;
    let inputs = inspect::inputs(place.target, &kernel, &initramfs)?;
    let contents = Contents {
        program: &cli.command[0],
        search_path: search_path(&guest.environment),
        files: &cli.file,
    };
    let pack = || Packed::new(&contents, &initramfs, place.target);
    let packed = match cli.pack.then(pack).transpose() {
        Ok(packed) => packed,
        Err(error) => return not_packed(&contents, error),
    };
    guest.packed = packed.as_ref().map(|packed| packed.program.clone());
    let initrd = packed
        .as_ref()
        .map_or_else(|| initramfs.clone(), Packed::path);
    let vm = vm(cli, &place, &guest, kernel, initrd, &inputs)?;
    let files = match &vm.runner {
        Runner::Qemu(_) => HostFiles::NineP,
        Runner::UserMode(_) => HostFiles::Hostfs,
    };
    let steps = guest.steps(files);
    let goal = Goal {
        timeout: cli.timeout,
        stall: cli.stall,
        ..Goal::default()
    };
    let log = cli.log.as_deref();
    let log = log
        .map(|log| input::log(log, [&vm.kernel, &initramfs]))
        .transpose()?;
    let ended = program::run(&vm, steps.bytes().to_vec(), goal, cli.console, log)?;
    if cli.summary {
        let (target, time) = (place.target.name, ended.time.as_secs_f64());
        say(&format!(
            "boot: {target} ran the program in {time:.3} s ({})",
            place.reason
        ));
    }
    let Ended {
        end,
        ready,
        console,
        ..
    } = ended;
    match end {
        End::Program(status) => Ok(of_program(status)),
        End::Step(place, errno) => {
            let (sentence, is_program) = steps.failure(place, errno);
            match (is_program, io::Error::from_raw_os_error(errno).kind()) {
                (false, _) => Err(anyhow!(sentence)),
                (true, io::ErrorKind::NotFound) => {
                    say(&format!("boot: {}", not_found(&cli.command[0])));
                    Ok(exit_code::NOT_FOUND)
                }
                (true, _) => {
                    say(&format!("boot: {sentence}"));
                    Ok(exit_code::NOT_EXECUTABLE)
                }
            }
        }
        End::Foreign => Err(anyhow!(
            "{}: the agent in it uses another protocol than this boot; use an initramfs of the same version as boot",
            initramfs.display()
        )),
        End::Guest(verdict) => {
            // Without a fault of the guest, its kernel's log is not to the point.
            match ended_by_user_or_program(&verdict).filter(|_| ready) {
                Some(sentence) => say(&format!("boot: {sentence}")),
                None if console.is_empty() => say(&format!("boot: {verdict}")),
                None => say(&format!("{}\nboot: {verdict}", console.trim_end())),
            }
            Ok(exit_code::of_run(verdict.exit_code(), cli.bisect))
        }
    }
}

/// A sentence about an end that is not the guest's fault.
fn ended_by_user_or_program(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Timeout { limit, .. } => Some(format!(
            "the program did not end within the {} s of --timeout",
            limit.as_secs_f64()
        )),
        Verdict::Stalled { limit, .. } => Some(format!(
            "the program wrote nothing for the {} s of --stall",
            limit.as_secs_f64()
        )),
        Verdict::Ended => Some("the guest was switched off before the program ended".into()),
        Verdict::Signal { .. } => Some("the user ended the guest".into()),
        _ => None,
    }
}

/// The exit code for a program's wait(2) status, as in a shell.
fn of_program(status: i32) -> ExitCode {
    match status & 0x7f {
        0 => (status >> 8) as ExitCode,
        signal => exit_code::of_signal(signal),
    }
}

/// A program that does not exist, or a script whose interpreter does not.
fn not_found(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let place = if name.contains('/') {
        "in the guest"
    } else {
        "in the directories of PATH"
    };
    format!("{name}: there is no such program {place}, or its interpreter is missing")
}

/// The exit code if nothing was packed because of the program itself. Otherwise, the error.
fn not_packed(contents: &Contents, error: anyhow::Error) -> Result<ExitCode> {
    let code = match pack::state(contents.program, contents.search_path) {
        State::Missing => exit_code::NOT_FOUND,
        State::NotExecutable => exit_code::NOT_EXECUTABLE,
        State::Executable => return Err(error),
    };
    say(&format!("boot: {error:#}"));
    Ok(code)
}

/// Chooses what runs the program.
fn choose(cli: &RunCli) -> Result<Place> {
    let is_open = cli.target.is_none() && cli.qemu.accel == Choice::Auto;
    // Measure this first: it needs a process without threads.
    let stop_time = is_open.then(choice::stop_time);
    let target = cli.target.unwrap_or(&TARGETS[0]);
    let on_host = |target, reason: String| Place {
        target,
        acceleration: None,
        reason,
    };
    if matches!(target.run_by, RunBy::Host) {
        return Ok(on_host(target, "--target chose it".into()));
    }
    let acceleration = cli.qemu.acceleration(target.name)?;
    let is_um = |target: &&Target| matches!(target.run_by, RunBy::Host) && cli.has(target);
    let um = TARGETS.iter().find(is_um);
    let is_slow = acceleration.accel == Accel::Tcg;
    let mut reason = acceleration.to_string();
    if let (Some(um), Some(stop_time), true) = (um, stop_time, is_slow) {
        match stop_time {
            Ok(time) if time <= choice::STOP_LIMIT => {
                let time = time.as_micros();
                let reason = format!(
                    "without KVM, it is faster than QEMU: ptrace(2) stops a process in {time} us"
                );
                return Ok(on_host(um, reason));
            }
            Ok(time) => {
                let time = time.as_micros();
                reason += &format!(
                    "; um would be slow, because ptrace(2) takes {time} us to stop a process"
                );
            }
            Err(error) => {
                say(&format!(
                    "boot: QEMU runs the program, because this machine forbids ptrace(2): {error}"
                ));
                reason += "; ptrace(2) is forbidden";
            }
        }
    }
    Ok(Place {
        target,
        acceleration: Some(acceleration),
        reason,
    })
}

/// What the program finds.
fn guest(cli: &RunCli) -> Result<Guest> {
    Ok(Guest {
        command: cli.command.clone(),
        packed: None,
        environment: cli.environment(),
        directory: cli.directory()?,
        shares: cli.shares()?,
        user: cli.user,
        terminals: [
            io::stdin().is_terminal(),
            io::stdout().is_terminal(),
            io::stderr().is_terminal(),
        ],
        size: terminal::size(),
    })
}

fn vm(
    cli: &RunCli,
    place: &Place,
    guest: &Guest,
    kernel: PathBuf,
    initrd: PathBuf,
    inputs: &Inputs,
) -> Result<Vm> {
    let target = place.target;
    let (runner, channel) = match (&target.run_by, &place.acceleration) {
        (RunBy::Qemu(of_qemu), Some(acceleration)) => {
            let qemu = qemu(cli, of_qemu, acceleration.accel, guest);
            inspect::check_qemu(inputs, &kernel, &qemu.program)?;
            (Runner::Qemu(qemu), qemu::CHANNEL)
        }
        _ => {
            user_mode::check_initrd(&initrd)?;
            let memory_directory = user_mode::memory_directory(cli.memory, &env::temp_dir())?;
            (
                Runner::UserMode(UserMode { memory_directory }),
                user_mode::CHANNEL,
            )
        }
    };
    // The log is for failures, and its lines cost time.
    let quiet = if cli.console { "" } else { "quiet " };
    let root = match &guest.packed {
        Some(_) => format!("{} ", pack::KERNEL_OPTION),
        None => String::new(),
    };
    Ok(Vm {
        target,
        memory: cli.memory,
        kernel,
        initrd,
        append: format!("BOOT_CHANNEL={channel} {quiet}{root}{}", cli.append),
        runner,
    })
}

fn qemu(cli: &RunCli, target: &'static QemuTarget, accel: Accel, guest: &Guest) -> Qemu {
    let program = cli.qemu.program(target);
    let more = guest.qemu_arguments();
    Qemu {
        target,
        machine: &target.machines[0],
        sandbox: sandbox::wanted(&program, &more),
        program,
        accel,
        cpu: target.cpu.to_owned(),
        processors: cli.smp,
        tsc_khz: tsc::of_guest(target, accel),
        gdb: None,
        more,
    }
}
