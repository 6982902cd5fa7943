//! The table of what boots, and beside what.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use ::boot::machine::command::{Accel, Vm, program};
use ::boot::machine::sandbox;
use ::boot::machine::target::Target;
use ::boot::machine::tsc;
use anyhow::{Context, Result};

use super::floor;
use super::guest::Guest;

/// What boots on a target. A new target is one more row.
struct Row {
    target: &'static str,
    /// The guest that only prints, which the others are compared with.
    floor: fn() -> Vec<u8>,
    /// What is made here: the one that throughput is measured with comes first.
    ours: &'static [Ours],
}

/// Our own system, in one way of many.
struct Ours {
    name: &'static str,
    /// Of the images of its kernel.
    image: &'static str,
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
        floor: floor::x86_64::kernel,
        ours: &[
            ours("vmlinux", "vmlinux", "microvm", ""),
            ours("vmlinux, quiet", "vmlinux", "microvm", "quiet"),
            ours("bzImage", "bzImage", "microvm", ""),
            ours("bzImage on pc", "bzImage", "pc", ""),
        ],
    },
    Row {
        target: "aarch64",
        floor: floor::aarch64::kernel,
        ours: &[
            ours("Image", "Image", "virt", ""),
            ours("Image, quiet", "Image", "virt", "quiet"),
        ],
    },
    Row {
        target: "riscv64",
        floor: floor::riscv64::kernel,
        ours: &[
            ours("Image", "Image", "virt", ""),
            ours("Image, quiet", "Image", "virt", "quiet"),
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

    /// What boots on its target: the floor, whose kernel is written to `work`, then the system.
    pub fn contenders(&self, accel: Accel, work: &Path) -> Result<Vec<Guest>> {
        let Self { target, directory } = self;
        let row = TABLE
            .iter()
            .find(|row| row.target == target.name)
            .with_context(|| format!("no contenders for {}", target.name))?;
        let floor = work.join(format!("floor-{}", target.name));
        fs::write(&floor, (row.floor)())?;
        let first = ours("floor: only prints", "", row.ours[0].machine, "");
        let first = self.guest(&first, floor, accel);
        let others = row
            .ours
            .iter()
            .map(|ours| self.guest(ours, directory.join(ours.image), accel));
        std::iter::once(first).chain(others).collect()
    }

    fn guest(&self, ours: &Ours, kernel: PathBuf, accel: Accel) -> Result<Guest> {
        let target = self.target;
        let qemu = program(target.qemu.into());
        let vm = Vm {
            target,
            machine: target.machine(ours.machine).expect("in the table"),
            sandbox: sandbox::wanted(&qemu, &[]),
            qemu,
            accel,
            cpu: target.cpu.into(),
            processors: 1,
            memory: target.memory,
            tsc_khz: tsc::of_guest(target, accel),
            kernel: kernel.clone(),
            initrd: self.directory.join("initramfs.cpio.gz"),
            append: ours.append.into(),
            gdb: None,
            more: vec![],
        };
        let mut command = vec![vm.qemu.clone().into_os_string()];
        command.extend(vm.arguments());
        Guest::new(target.name, ours.name, accel, &kernel, command)
    }
}

/// What the article is about.
pub fn article_target() -> &'static Target {
    Target::named("x86_64").expect("in the table")
}

/// The system of the article that this grew out of, as it says: on QEMU's default machine. But
/// without its graphics and network cards, for which the pinned QEMU has no firmware.
pub fn article(kernel: &Path, initrd: &Path, accel: Accel) -> Result<Guest> {
    let target = article_target();
    let mut command = vec![program(target.qemu.into()).into_os_string()];
    command.extend(
        [
            "-nographic",
            "-vga",
            "none",
            "-nic",
            "none",
            "-accel",
            accel.name(),
            "-append",
            "console=ttyS0",
            "-kernel",
        ]
        .map(OsString::from),
    );
    command.extend([kernel.into(), "-initrd".into(), initrd.into()]);
    Guest::new(target.name, "the article's recipe", accel, kernel, command)
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
            for ours in row.ours {
                assert!(target.machine(ours.machine).is_some(), "{}", ours.name);
            }
        }
    }

    #[test]
    fn every_floor_has_the_line() {
        for row in TABLE {
            let kernel = (row.floor)();
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
