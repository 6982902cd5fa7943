//! `boot run`.

mod outcome;
mod report;

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use anyhow::Result;
use boot::files::input;
use boot::files::outfile::OutFile;
use boot::inspect::{self, Inputs};
use boot::machine::accel::{Acceleration, Choice};
use boot::machine::ptrace;
use boot::machine::qemu::{self, Accel, Qemu};
use boot::machine::target::{Bus, Machine, QemuTarget, RunBy, TARGETS, Target};
use boot::machine::user_mode::{self, UserMode};
use boot::machine::vm::{Runner, Vm};
use boot::machine::{sandbox, tsc};
use boot::program::devices;
use boot::program::guest::{Guest, HostFiles, search_path};
use boot::program::image::Image;
use boot::program::modules;
use boot::program::pack::{self, Contents, State};
use boot::session::program;
use boot::session::terminal;
use boot::streams::say;
use boot::verdict::exit_code::{self, ExitCode, Usage};
use boot::verdict::judge::Goal;
use packer::Tree;

use crate::cli;
use crate::cli::run::RunCli;
use crate::run::outcome::{Kind, Outcome};
use crate::run::report::Report;

/// What runs the program.
struct Place {
    target: &'static Target,
    /// For QEMU.
    acceleration: Option<Acceleration>,
    /// Why it was chosen.
    reason: String,
    /// Whether a trial has shown that the host can run user-mode Linux.
    is_tried: bool,
}

/// The exit code of `boot run`, if the arguments of this process ask for that.
pub fn answer(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let cli = match cli::subcommand::<RunCli>("run", arguments)? {
        Ok(cli) => cli,
        Err(exit_code::SUCCESS) => return Some(exit_code::SUCCESS),
        Err(code) => return Some(exit_code::of_run(code, false)),
    };
    let code = run(&cli).unwrap_or_else(|error| {
        say(&format!("boot: {error:#}"));
        exit_code::of_run(exit_code::of_error(&error), cli.bisect)
    });
    Some(code)
}

fn run(cli: &RunCli) -> Result<ExitCode> {
    let place = choose(cli)?;
    if !cli.pack && !place.target.is_of_host() {
        let (name, host) = (place.target.name, env::consts::ARCH);
        let message = format!(
            "the target is {name}, and the programs of this machine are for {host}: add --pack, for a program that is for \
             {name} and gets no other files of this machine"
        );
        return Err(Usage(message).into());
    }
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
    let modules = cli.modules();
    let machine = machine(cli, place.target, modules.is_some())?;
    let bus = machine.map(|machine| machine.bus);
    let mut tree = Tree::new();
    if cli.pack {
        match pack::insert(&contents, place.target, &mut tree) {
            Ok(program) => guest.packed = Some(program),
            Err(error) => return not_packed(&contents, error),
        }
    }
    if let Some(modules) = &modules {
        modules::insert(&mut tree, modules, &guest, bus)?;
    }
    let is_empty = tree.entries().next().is_none();
    let image = (!is_empty)
        .then(|| Image::new(&initramfs, &tree))
        .transpose()?;
    let initrd = image
        .as_ref()
        .map_or_else(|| initramfs.clone(), Image::path);
    let vm = vm(cli, &place, machine, &guest, kernel, initrd, &inputs)?;
    let steps = guest.steps(HostFiles::on(bus));
    let goal = Goal {
        timeout: cli.timeout,
        stall: cli.stall,
        ..Goal::default()
    };
    let log = cli.log.as_deref();
    let log = log
        .map(|log| input::log(log, [&vm.kernel, &initramfs]))
        .transpose()?;
    let file = cli.report.as_deref();
    let file = file.map(|file| OutFile::checked("report", file, &[&vm.kernel, &initramfs]));
    let report = file
        .transpose()?
        .map(|file| Report::new(file, &vm, &place, inputs))
        .transpose()?;
    let devices = guest.is_init.then(|| devices::devices(guest.terminals));
    let ended = program::run(
        &vm,
        steps.bytes().to_vec(),
        devices.as_deref(),
        goal,
        cli.console,
        log,
    )?;
    if cli.summary {
        let (target, time) = (place.target.name, ended.time.as_secs_f64());
        say(&format!(
            "boot: {target} ran the program in {time:.3} s ({})",
            place.reason
        ));
    }
    let outcome = Outcome::of(&ended, &cli.command[0], &steps, bus);
    if outcome.shows_console && !ended.console.is_empty() {
        say(ended.console.trim_end());
    }
    if let Some(sentence) = &outcome.sentence {
        say(&format!("boot: {sentence}"));
    }
    let code = match outcome.kind {
        Kind::Exited { .. } | Kind::Killed { .. } | Kind::SwitchedOff => outcome.exit_code,
        _ => exit_code::of_run(outcome.exit_code, cli.bisect),
    };
    if let Some(report) = report {
        report.write(&cli.command, &outcome, code, ended.time)?;
    }
    Ok(code)
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
    let is_for = |target: &&Target| {
        let kernel = cli.kernel.as_deref();
        kernel.is_some_and(|kernel| inspect::is_for(target, kernel))
    };
    let named = cli.target.or_else(|| TARGETS.iter().find(is_for));
    let is_open =
        named.is_none() && cli.qemu.accel == Choice::Auto && cli.network.ports().is_none();
    // Measure this first: it needs a process without threads.
    let stop_time = is_open.then(|| ptrace::stop_time(16));
    let target = named.unwrap_or_else(Target::of_host);
    let on_host = |target, reason: String, is_tried| Place {
        target,
        acceleration: None,
        reason,
        is_tried,
    };
    if matches!(target.run_by, RunBy::Host) {
        if cli.network.ports().is_some() {
            let name = target.name;
            return Err(Usage(format!(
                "--net: {name} has no network; take QEMU, with --target x86_64"
            ))
            .into());
        }
        let reason = match cli.target {
            Some(_) => "--target chose it",
            None => "the kernel is for it",
        };
        return Ok(on_host(target, reason.into(), false));
    }
    let acceleration = cli.qemu.acceleration(target.name)?;
    let is_um = |target: &&Target| matches!(target.run_by, RunBy::Host) && cli.has(target);
    let um = TARGETS.iter().find(is_um);
    let is_slow = acceleration.accel == Accel::Tcg;
    let mut reason = acceleration.to_string();
    if let (Some(um), Some(stop_time), true) = (um, stop_time, is_slow) {
        match stop_time {
            Ok(time) if time <= ptrace::STOP_LIMIT => {
                let time = time.as_micros();
                let reason = format!(
                    "without KVM, it is faster than QEMU: ptrace(2) stops a process in {time} us"
                );
                return Ok(on_host(um, reason, true));
            }
            Ok(time) => {
                let time = time.as_micros();
                reason += &format!(
                    "; um would be slow, because ptrace(2) takes {time} us to stop a process"
                );
            }
            Err(obstacle) => {
                say(&format!("boot: QEMU runs the program, because {obstacle}"));
                reason += &format!("; {obstacle}");
            }
        }
    }
    Ok(Place {
        target,
        acceleration: Some(acceleration),
        reason,
        is_tried: false,
    })
}

/// QEMU's machine, if QEMU runs the program. Distributions build their kernels for PCI, and not for a microvm.
fn machine(cli: &RunCli, target: &Target, has_modules: bool) -> Result<Option<&'static Machine>> {
    let RunBy::Qemu(target) = &target.run_by else {
        return Ok(None);
    };
    let has_pci = |machine: &&Machine| machine.bus == Bus::Pci && has_modules;
    let usual = || {
        target
            .machines
            .iter()
            .rev()
            .find(has_pci)
            .unwrap_or(&target.machines[0])
    };
    Ok(Some(cli.qemu.machine(target)?.unwrap_or_else(usual)))
}

/// What the program finds.
fn guest(cli: &RunCli) -> Result<Guest> {
    Ok(Guest {
        command: cli.command.clone(),
        packed: None,
        environment: cli.environment(),
        directory: cli.directory()?,
        shares: cli.shares()?,
        network: cli.network.ports(),
        is_init: cli.init,
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
    machine: Option<&'static Machine>,
    guest: &Guest,
    kernel: PathBuf,
    initrd: PathBuf,
    inputs: &Inputs,
) -> Result<Vm> {
    let target = place.target;
    let (runner, channel) = match (&target.run_by, &place.acceleration, machine) {
        (RunBy::Qemu(of_qemu), Some(acceleration), Some(machine)) => {
            let qemu = qemu(cli, of_qemu, acceleration.accel, machine, guest);
            inspect::check_qemu(inputs, &kernel, &qemu.program)?;
            (Runner::Qemu(qemu), qemu::CHANNEL)
        }
        _ => {
            user_mode::check_initrd(&initrd)?;
            let memory_directory = user_mode::memory_directory(cli.memory, &env::temp_dir())?;
            let host = UserMode::new(memory_directory, inspect::has_seccomp(&kernel));
            if !place.is_tried {
                host.check()?;
            }
            (Runner::UserMode(host), user_mode::CHANNEL)
        }
    };
    // On a busy host, Linux takes a guest's time stamp counter for unreliable, and its clock falls behind.
    let is_tcg = |acceleration: &Acceleration| acceleration.accel == Accel::Tcg;
    let has_tsc = target.qemu().is_some_and(|qemu| qemu.has_tsc);
    let clock = match has_tsc && place.acceleration.as_ref().is_some_and(is_tcg) {
        true => "tsc=reliable ",
        false => "",
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
        append: format!("BOOT_CHANNEL={channel} {clock}{quiet}{root}{}", cli.append),
        runner,
    })
}

fn qemu(
    cli: &RunCli,
    target: &'static QemuTarget,
    accel: Accel,
    machine: &'static Machine,
    guest: &Guest,
) -> Qemu {
    let program = cli.qemu.program(target);
    let more = guest.qemu_arguments(machine.bus);
    Qemu {
        target,
        machine,
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
