//! The program `boot`. `cli` has its arguments, the library does the work.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use boot::files::input;
use boot::inspect;
use boot::machine::accel::probe::probe;
use boot::machine::accel::{self, Acceleration, Choice};
use boot::machine::command::{self, Accel, Vm};
use boot::machine::{gdb, reaper, sandbox, tsc};
use boot::profile::timeline::Timeline;
use boot::session::repeat::repeat;
use boot::session::run::{Output, run};
use boot::session::signals::Signals;
use boot::streams::{Patient, say};
use boot::verdict::Verdict;
use boot::verdict::exit_code;
use clap::Parser;

use cli::Cli;

mod cli;

fn main() -> ExitCode {
    let answer = accel::answer(env::args_os()).or_else(|| reaper::answer(env::args_os()));
    if let Some(code) = answer {
        return code;
    }
    let cli = Cli::parse();
    let report = |error: anyhow::Error| {
        say(&format!("boot: {error:#}"));
        exit_code::of_error(&error)
    };
    ExitCode::from(match Signals::take_over() {
        Ok(signals) => {
            let code = boot(&cli, &signals).unwrap_or_else(report);
            // A signal after the end of the boot sets the exit code, too.
            signals.exit_code().unwrap_or(code)
        }
        Err(error) => report(anyhow::Error::new(error).context("cannot handle signals")),
    })
}

/// Does what the arguments say.
fn boot(cli: &Cli, signals: &Signals) -> Result<exit_code::ExitCode> {
    let machine = cli.machine()?;
    let (kernel, initrd) = (cli.kernel()?, cli.initrd()?);
    let inputs = inspect::inputs(cli.target, &kernel, &initrd)?;
    let acceleration = choose_accelerator(cli)?;
    let qemu = cli.qemu.clone();
    let qemu = command::program(qemu.unwrap_or_else(|| cli.target.qemu.into()));
    let vm = Vm {
        target: cli.target,
        machine,
        sandbox: sandbox::wanted(&qemu, &cli.more),
        qemu,
        accel: acceleration.accel,
        cpu: cli.cpu.clone().unwrap_or_else(|| cli.target.cpu.to_owned()),
        processors: cli.smp,
        memory: cli.memory.unwrap_or(cli.target.memory),
        tsc_khz: tsc::of_guest(cli.target, acceleration.accel),
        kernel,
        initrd,
        append: cli.append(),
        gdb: cli.gdb.clone().map(gdb::socket).transpose()?,
        more: cli.more.clone(),
    };
    inspect::check_qemu(&inputs, &vm.kernel, &vm.qemu)?;
    if let Some(caution) = vm.caution() {
        say(&format!("boot: {caution}"));
    }
    if cli.dry_run {
        return print_command(&vm);
    }
    let log = cli.log.as_deref();
    let results = cli.results.prepare(&vm, &acceleration, inputs, log)?;
    let log = log
        .map(|log| input::log(log, [&vm.kernel, &vm.initrd]))
        .transpose()?;
    if let Some(socket) = &vm.gdb {
        let command = gdb::command(vm.target, socket, cli.results.symbols.as_deref());
        say(&format!(
            "boot: the guest waits for a debugger; in another terminal, type:\n  {command}"
        ));
    }
    let interactive = io::stdin().is_terminal() && cli.repeat.is_none();
    // On a terminal the user can press Ctrl-C, and with a debugger the guest may take any time.
    let goal = cli.goal(!interactive && vm.gdb.is_none());
    if let Some(times) = cli.repeat {
        return Ok(repeat(&vm, &goal, times, cli.jobs, signals));
    }
    let mut timeline = Timeline::new();
    let output = Output {
        hidden: false,
        log,
        timestamps: cli.timestamps,
        record: results.is_some().then_some(&mut timeline),
    };
    let end = run(&vm, goal, output, interactive, signals);
    if let Ok(verdict) = &end {
        say(&format!("boot: {verdict}"));
    }
    let written = results.map_or(Ok(()), |results| results.write(&end, timeline));
    let code = end?.exit_code();
    written.map(|()| code)
}

/// Tests KVM if necessary, and reports why `auto` does not use it.
fn choose_accelerator(cli: &Cli) -> Result<Acceleration> {
    let acceleration = accel::choose(cli.accel, cli.target, || {
        let program = cli.kvm_trial.as_ref().map(Command::new);
        probe(program.unwrap_or_else(accel::trial_process))
    })?;
    if cli.accel == Choice::Auto && acceleration.accel == Accel::Tcg {
        say(&format!("boot: accelerator: {acceleration}"));
    }
    Ok(acceleration)
}

/// Prints QEMU's command line.
fn print_command(vm: &Vm) -> Result<exit_code::ExitCode> {
    match writeln!(Patient(io::stdout()), "{}", vm.shell_line()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Verdict::StdoutClosed.exit_code())
        }
        printed => printed
            .map(|()| exit_code::SUCCESS)
            .context("stdout: cannot print QEMU's command line"),
    }
}
