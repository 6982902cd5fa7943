//! The table of what boots, and beside what.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use ::boot::inspect;
use ::boot::machine::qemu::{Accel, Qemu};
use ::boot::machine::sandbox;
use ::boot::machine::target::{RunBy, Target};
use ::boot::machine::tsc;
use ::boot::machine::user_mode::{UserMode, memory_directory};
use ::boot::machine::vm::{Runner, Vm, program};
use anyhow::{Context, Result};

use super::baseline;
use super::guest::Guest;

/// What boots on a target. A new target is one more row.
struct Row {
    target: &'static str,
    /// The target of the guest that only prints, and that guest. The others are compared with it.
    baseline: (&'static str, fn() -> Vec<u8>),
    /// What is made here: the one that throughput is measured with comes first.
    ours: &'static [Ours],
}

/// Our own system, in one way of many.
struct Ours {
    name: &'static str,
    /// Of the images of its kernel.
    image: &'static str,
    /// One of QEMU's machines, if QEMU runs it.
    machine: &'static str,
    append: &'static str,
}

const fn ours(
    name: &'static str,
    image: &'static str,
    machine: &'static str,
    append: &'static str,
) -> Ours {
    Ours {
        name,
        image,
        machine,
        append,
    }
}

const TABLE: &[Row] = &[
    Row {
        target: "x86_64",
        baseline: ("x86_64", baseline::x86_64::kernel),
        ours: &[
            ours("vmlinux", "vmlinux", "microvm", ""),
            ours("vmlinux, quiet", "vmlinux", "microvm", "quiet"),
            ours("bzImage", "bzImage", "microvm", ""),
            ours("bzImage on pc", "bzImage", "pc", ""),
        ],
    },
    Row {
        target: "aarch64",
        baseline: ("aarch64", baseline::aarch64::kernel),
        ours: &[
            ours("Image", "Image", "virt", ""),
            ours("Image, quiet", "Image", "virt", "quiet"),
        ],
    },
    Row {
        target: "riscv64",
        baseline: ("riscv64", baseline::riscv64::kernel),
        ours: &[
            ours("Image", "Image", "virt", ""),
            ours("Image, quiet", "Image", "virt", "quiet"),
        ],
    },
    Row {
        target: "um",
        baseline: ("x86_64", baseline::x86_64::kernel),
        ours: &[
            ours("linux", "linux", "", ""),
            ours("linux, quiet", "linux", "", "quiet"),
        ],
    },
];

/// A target's system, built.
#[derive(Clone)]
pub struct System {
    pub target: &'static Target,
    /// With the kernel's images and the initramfs, under the names that `.#image` has.
    directory: PathBuf,
}

impl System {
    /// From `TARGET=DIR`.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, directory) = text.split_once('=').context("expected TARGET=DIR")?;
        let target =
            Target::named(name).with_context(|| format!("no target is called {name:?}"))?;
        Ok(Self {
            target,
            directory: directory.into(),
        })
    }

    /// What boots on its target: the baseline, whose kernel is written to `work`, then the system.
    pub fn contenders(
        &self,
        accel: impl Fn(&Target) -> Result<Accel>,
        work: &Path,
    ) -> Result<Vec<Guest>> {
        let Self { target, directory } = self;
        let ours = self.row()?.ours.iter();
        let others = ours.map(|ours| self.guest(target, ours, directory.join(ours.image), &accel));
        let first = self.baseline(&accel, work);
        std::iter::once(first).chain(others).collect()
    }

    fn row(&self) -> Result<&'static Row> {
        let name = self.target.name;
        let row = TABLE.iter().find(|row| row.target == name);
        row.with_context(|| format!("no contenders for {name}"))
    }

    /// The guest that only prints, whose kernel is written to `work`.
    pub fn baseline(&self, accel: impl Fn(&Target) -> Result<Accel>, work: &Path) -> Result<Guest> {
        let target = self.target;
        let (baseline_target, baseline_kernel) = self.row()?.baseline;
        let baseline = work.join(format!("baseline-{}", target.name));
        fs::write(&baseline, baseline_kernel())?;
        let baseline_target = Target::named(baseline_target).expect("in the table");
        let machine = TABLE.iter().find(|row| row.target == baseline_target.name);
        let machine = machine.expect("in the table").ours[0].machine;
        let ours = ours("baseline: only prints", "", machine, "");
        self.guest(baseline_target, &ours, baseline, accel)
    }

    fn guest(
        &self,
        target: &'static Target,
        ours: &Ours,
        kernel: PathBuf,
        accel: impl Fn(&Target) -> Result<Accel>,
    ) -> Result<Guest> {
        let runner = match &target.run_by {
            RunBy::Qemu(facts) => {
                let program = program(facts.program.into());
                let accel = accel(target)?;
                Runner::Qemu(Qemu {
                    target: facts,
                    machine: facts.machine(ours.machine).expect("in the table"),
                    sandbox: sandbox::wanted(&program, &[]),
                    program,
                    accel,
                    cpu: facts.cpu.into(),
                    processors: 1,
                    tsc_khz: tsc::of_guest(facts, accel),
                    gdb: None,
                    more: vec![],
                })
            }
            RunBy::Host => {
                let memory = memory_directory(target.memory, &env::temp_dir())?;
                let seccomp = inspect::has_seccomp(&kernel);
                Runner::UserMode(UserMode::new(memory, seccomp))
            }
        };
        let vm = Vm {
            target,
            memory: target.memory,
            kernel: kernel.clone(),
            initrd: self.directory.join("initramfs.cpio.gz"),
            append: ours.append.into(),
            runner,
        };
        let mut command = vec![vm.program().into()];
        command.extend(vm.arguments());
        let accel = match &vm.runner {
            Runner::Qemu(qemu) => Some(qemu.accel),
            Runner::UserMode(_) => None,
        };
        let guest = Guest::new(self.target.name, ours.name, accel, &kernel, command)?;
        Ok(match vm.runner {
            Runner::Qemu(_) => guest,
            Runner::UserMode(host) => guest.on(host),
        })
    }
}

/// What the article is about.
pub fn article_target() -> &'static Target {
    Target::named("x86_64").expect("in the table")
}

/// The system of the article that this grew out of, as it says: on QEMU's default machine. But
/// without its graphics and network cards, for which the pinned QEMU has no firmware. `append` comes at the end of the
/// kernel's command line.
pub fn article(kernel: &Path, initrd: &Path, accel: Accel, append: &str) -> Result<Guest> {
    let target = article_target();
    let qemu = target.qemu().expect("in the table").program;
    let append = format!("console=ttyS0{append}");
    let mut command = vec![program(qemu.into()).into_os_string()];
    command.extend(
        [
            "-nographic",
            "-vga",
            "none",
            "-nic",
            "none",
            // A guest that fails ends.
            "-no-reboot",
            "-accel",
            accel.name(),
            "-append",
            &append,
            "-kernel",
        ]
        .map(OsString::from),
    );
    command.extend([kernel.into(), "-initrd".into(), initrd.into()]);
    Guest::new(
        target.name,
        "the article's recipe",
        Some(accel),
        kernel,
        command,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::boot::machine::target::TARGETS;

    #[test]
    fn every_target_has_a_row_and_every_row_its_machines() {
        let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        let rows: Vec<_> = TABLE.iter().map(|row| row.target).collect();
        assert_eq!(rows, targets);
        for (row, target) in TABLE.iter().zip(TARGETS) {
            let Some(qemu) = target.qemu() else { continue };
            for ours in row.ours {
                assert!(qemu.machine(ours.machine).is_some(), "{}", ours.name);
            }
        }
    }

    #[test]
    fn every_baseline_guest_has_the_line() {
        for row in TABLE {
            let kernel = (row.baseline.1)();
            let has = kernel.windows(14).any(|part| part == b"Hello, world!\n");
            assert!(has, "{}", row.target);
        }
    }

    #[test]
    fn a_system_is_a_target_and_a_directory() {
        let system = System::parse("riscv64=/a=b").unwrap();
        assert_eq!(system.target.name, "riscv64");
        assert_eq!(system.directory, Path::new("/a=b"));
        assert!(System::parse("riscv64").is_err());
        assert!(System::parse("riscv=/a").is_err());
    }
}
