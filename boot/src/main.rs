//! The program `boot`. `cli` has its arguments, the library does the work.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use boot::files::input;
use boot::inspect;
use boot::machine::accel::{self, Acceleration, Choice};
use boot::machine::attached::Attached;
use boot::machine::qemu::{Accel, Qemu};
use boot::machine::target::{QemuTarget, RunBy};
use boot::machine::user_mode::{self, UserMode};
use boot::machine::vm::{Runner, Vm};
use boot::machine::{gdb, reaper, sandbox, tsc};
use boot::profile::timeline::Timeline;
use boot::session::repeat::repeat;
use boot::session::run::{self as session, Output};
use boot::session::signals::Signals;
use boot::streams::{Patient, say};
use boot::verdict::Verdict;
use boot::verdict::exit_code;

use cli::Cli;

mod cli;
mod explain_command;
mod matrix_command;
mod run;

fn main() -> ExitCode {
    let answer = accel::answer(env::args_os()).or_else(|| reaper::answer(env::args_os()));
    if let Some(code) = answer {
        return code;
    }
    let code = run::answer(env::args_os())
        .or_else(|| explain_command::answer(env::args_os()))
        .or_else(|| matrix_command::answer(env::args_os()));
    if let Some(code) = code {
        return ExitCode::from(code);
    }
    let cli = Cli::of_process();
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
    cli.check_runner_options()?;
    let (kernel, initrd) = (cli.kernel()?, cli.initrd()?);
    let inputs = inspect::inputs(cli.target, &kernel, &initrd)?;
    let interactive = io::stdin().is_terminal() && cli.repeat.is_none();
    let memory = cli.memory.unwrap_or(cli.target.memory);
    let attached = cli.attached.attached()?;
    let (runner, acceleration) = match &cli.target.run_by {
        RunBy::Qemu(target) => {
            let acceleration = choose_accelerator(cli)?;
            let qemu = qemu(cli, target, acceleration.accel, &attached)?;
            inspect::check_qemu(&inputs, &kernel, &qemu.program)?;
            (Runner::Qemu(qemu), Some(acceleration))
        }
        RunBy::Host => (Runner::UserMode(user_mode(&kernel, &initrd, memory)?), None),
    };
    let vm = Vm {
        target: cli.target,
        memory,
        kernel,
        initrd,
        append: cli.append(attached.kernel_option()),
        runner,
    };
    if let Some(caution) = vm.caution() {
        say(&format!("boot: {caution}"));
    }
    if cli.dry_run {
        return print_command(&vm);
    }
    if let (Some(_), Runner::UserMode(host)) = (&cli.gdb, &vm.runner) {
        let command = gdb::user_mode_command(&vm, host, cli.results.symbols.as_deref());
        say(&format!(
            "boot: gdb runs this kernel itself; type:\n  {command}"
        ));
        return Ok(exit_code::SUCCESS);
    }
    if let Runner::UserMode(host) = &vm.runner {
        host.check()?;
    }
    for warning in inspect::warnings(&vm) {
        say(&format!("boot: warning: {warning}"));
    }
    let log = cli.log.as_deref();
    let results = cli
        .results
        .prepare(&vm, acceleration.as_ref(), inputs, log)?;
    let log = log
        .map(|log| input::log(log, [&vm.kernel, &vm.initrd]))
        .transpose()?;
    let debugged = announce_debugger(cli, &vm);
    // On a terminal the user can press Ctrl-C, and with a debugger the guest may take any time.
    let goal = cli.goal(!interactive && !debugged);
    if let Some(times) = cli.repeat {
        let repeated = repeat(&vm, &goal, times, cli.jobs, signals);
        let written = results.map_or(Ok(()), |results| {
            results.write_repeated(&repeated.runs, repeated.took)
        });
        return written.map(|()| repeated.exit_code());
    }
    let mut timeline = Timeline::new(matches!(vm.runner, Runner::UserMode(_)));
    let output = Output {
        hidden: false,
        log,
        timestamps: cli.timestamps,
        record: results.is_some().then_some(&mut timeline),
    };
    let end = session::run(&vm, goal, output, interactive, signals);
    if let Ok(verdict) = &end {
        say(&format!("boot: {verdict}"));
    }
    let written = results.map_or(Ok(()), |results| results.write(&end, timeline));
    let code = end?.exit_code();
    written.map(|()| code)
}

/// The QEMU that the arguments describe.
fn qemu(cli: &Cli, target: &'static QemuTarget, accel: Accel, attached: &Attached) -> Result<Qemu> {
    let program = cli.qemu.program(target);
    let machine = cli.qemu.machine(target)?.unwrap_or(&target.machines[0]);
    let mut more = attached.arguments(machine);
    more.extend(cli.more.iter().cloned());
    Ok(Qemu {
        target,
        machine,
        sandbox: sandbox::wanted(&program, &cli.more),
        program,
        accel,
        cpu: cli.cpu.clone().unwrap_or_else(|| target.cpu.to_owned()),
        processors: cli.smp,
        tsc_khz: tsc::of_guest(target, accel),
        gdb: cli.gdb.clone().map(gdb::socket).transpose()?,
        more,
    })
}

/// User-mode Linux with a place for its memory.
fn user_mode(kernel: &Path, initrd: &Path, memory: u32) -> Result<UserMode> {
    user_mode::check_initrd(initrd)?;
    let memory_directory = user_mode::memory_directory(memory, &env::temp_dir())?;
    if memory_directory != Path::new(user_mode::SHARED_MEMORY) {
        let (wanted, found) = (user_mode::SHARED_MEMORY, memory_directory.display());
        say(&format!(
            "boot: {wanted} cannot be used; the guest's memory is an unnamed file in {found}"
        ));
    }
    Ok(UserMode::new(
        memory_directory,
        inspect::has_seccomp(kernel),
    ))
}

/// Prints the command for gdb if the guest waits for it. Returns whether it does.
fn announce_debugger(cli: &Cli, vm: &Vm) -> bool {
    let Runner::Qemu(Qemu {
        gdb: Some(socket),
        target,
        ..
    }) = &vm.runner
    else {
        return false;
    };
    let command = gdb::command(target, socket, cli.results.symbols.as_deref());
    say(&format!(
        "boot: the guest waits for a debugger; in another terminal, type:\n  {command}"
    ));
    true
}

/// Tests KVM if necessary, and reports why `auto` does not use it.
fn choose_accelerator(cli: &Cli) -> Result<Acceleration> {
    let acceleration = cli.qemu.acceleration(cli.target.name)?;
    if cli.qemu.accel == Choice::Auto && acceleration.accel == Accel::Tcg {
        say(&format!("boot: accelerator: {acceleration}"));
    }
    Ok(acceleration)
}

/// Prints the command line.
fn print_command(vm: &Vm) -> Result<exit_code::ExitCode> {
    match writeln!(Patient(io::stdout()), "{}", vm.shell_line()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Verdict::StdoutClosed.exit_code())
        }
        printed => printed
            .map(|()| exit_code::SUCCESS)
            .context("stdout: cannot print the command line"),
    }
}
