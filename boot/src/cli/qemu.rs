//! The arguments about QEMU that `boot` and `boot run` share.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use boot::machine::accel::probe::probe;
use boot::machine::accel::{self, Acceleration, Choice};
use boot::machine::target::{Machine, QemuTarget};
use boot::machine::vm;
use boot::verdict::exit_code::Usage;
use clap::Args;

/// QEMU, its accelerator and its machine.
#[derive(Args)]
pub struct QemuArgs {
    /// QEMU's program [default: qemu-system-TARGET, found in PATH]
    #[arg(long, env = "BOOT_QEMU", value_name = "FILE")]
    pub qemu: Option<PathBuf>,

    /// QEMU's accelerator, which executes the guest's instructions
    #[arg(
        long,
        env = "BOOT_ACCEL",
        value_name = "NAME",
        value_enum,
        default_value = "auto"
    )]
    pub accel: Choice,

    /// QEMU's machine model [default: the target's first]
    #[arg(long, env = "BOOT_MACHINE", value_name = "NAME")]
    pub machine: Option<String>,

    /// Program that tests KVM instead of boot, for boot's own tests
    #[arg(long, env = "BOOT_KVM_TRIAL", value_name = "FILE", hide = true)]
    kvm_trial: Option<PathBuf>,
}

impl QemuArgs {
    /// The program.
    pub fn program(&self, target: &QemuTarget) -> PathBuf {
        let program = self.qemu.clone();
        vm::program(program.unwrap_or_else(|| target.program.into()))
    }

    /// The machine that `--machine` names, if it is given.
    pub fn machine(&self, target: &QemuTarget) -> Result<Option<&'static Machine>> {
        let machine = |name: &String| {
            target.machine(name).ok_or_else(|| {
                let names: Vec<_> = target.machines.iter().map(|machine| machine.name).collect();
                let names = names.join(", ");
                Usage(format!("{name}: no such machine (--machine takes {names})")).into()
            })
        };
        self.machine.as_ref().map(machine).transpose()
    }

    /// The accelerator for the target called `target`. Tests KVM if necessary.
    pub fn acceleration(&self, target: &str) -> Result<Acceleration> {
        accel::choose(self.accel, target, || {
            let program = self.kvm_trial.as_ref().map(Command::new);
            probe(program.unwrap_or_else(accel::trial_process))
        })
    }
}
