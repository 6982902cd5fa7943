//! The table of targets. A new target is one more row.

use object::elf::{EM_386, EM_AARCH64, EM_RISCV, EM_X86_64, Machine as ElfMachine};

use crate::files::format::Format;

/// Everything that depends on the target.
#[derive(Debug)]
pub struct Target {
    /// The name for `--target`.
    pub name: &'static str,
    /// What runs its guests.
    pub run_by: RunBy,
    /// The formats of its kernels.
    pub kernels: &'static [Format],
    /// The names of its kernels in a directory that `mkKernel` makes, the preferred one first.
    pub images: &'static [&'static str],
    /// The architectures of its ELF kernels (`e_machine`).
    pub elf_machines: &'static [ElfMachine],
    /// The default memory in MiB.
    pub memory: u32,
    /// The kernel's name of the console that boot reads.
    pub console: &'static str,
    /// The rest of the kernel's command line.
    pub kernel_options: &'static [&'static str],
}

/// What runs a target's guests.
#[derive(Debug)]
pub enum RunBy {
    /// QEMU.
    Qemu(QemuTarget),
    /// Nothing: the kernel is a program of the host, user-mode Linux.
    Host,
}

/// The properties of a target that QEMU runs.
#[derive(Debug)]
pub struct QemuTarget {
    /// The file name of its QEMU.
    pub program: &'static str,
    /// Its machines; the first is the default.
    pub machines: &'static [Machine],
    /// Whether QEMU needs the PVH note to find the entry of an ELF kernel.
    pub needs_pvh: bool,
    /// QEMU's name of the default CPU model.
    pub cpu: &'static str,
    /// More options for the kernel under TCG.
    pub tcg_options: &'static [&'static str],
    /// Whether it has a time stamp counter; under TCG, the guest sees the host's.
    pub has_tsc: bool,
    /// gdb's name of the architecture.
    pub gdb: &'static str,
}

/// One of QEMU's machine models.
#[derive(Debug)]
pub struct Machine {
    /// The name for `--machine`, which is QEMU's.
    pub name: &'static str,
    /// The value of `-machine`.
    pub options: &'static str,
    /// The bus of its virtio devices.
    pub bus: Bus,
    /// QEMU's name of the place of the virtio device that Linux finds first, if that is not the first device on QEMU's
    /// command line.
    pub first_place: Option<&'static str>,
}

/// The bus of a machine's virtio devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    /// Registers in memory.
    Mmio,
    /// PCI.
    Pci,
}

impl Bus {
    /// QEMU's name of the virtio device `name`.
    pub fn device(self, name: &str) -> String {
        match self {
            Bus::Mmio => format!("virtio-{name}-device"),
            Bus::Pci => format!("virtio-{name}-pci"),
        }
    }

    /// Linux' driver, as a module.
    pub fn module(self) -> &'static str {
        match self {
            Bus::Mmio => "virtio_mmio",
            Bus::Pci => "virtio_pci",
        }
    }

    /// The options of Linux' configuration for that driver.
    pub fn options(self) -> &'static str {
        match self {
            // QEMU describes a microvm's devices on the command line, and other machines' in a device tree.
            Bus::Mmio => {
                "CONFIG_VIRTIO_MMIO, on a microvm with CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES,"
            }
            Bus::Pci => "CONFIG_VIRTIO_PCI",
        }
    }
}

/// Every target.
pub const TARGETS: &[Target] = &[X86_64, AARCH64, RISCV64, UM];

/// Restart at once after a panic. With -no-reboot, QEMU then ends, so a panic never hangs. With
/// `loglevel=0`, the restart is the only sign of a panic. (An initramfs of initramfs-tools reads this
/// option, too.)
const RESTART_AFTER_PANIC: &str = "panic=-1";

const X86_64: Target = Target {
    name: "x86_64",
    run_by: RunBy::Qemu(QemuTarget {
        program: "qemu-system-x86_64",
        machines: &[
            Machine {
                name: "microvm",
                // No ACPI: the few devices are at fixed addresses. For each virtio device that the user adds,
                // QEMU appends the address to the kernel's command line
                // (`virtio_mmio.device=512@0xfeb00e00:12`).
                options: "microvm,acpi=off",
                bus: Bus::Mmio,
                first_place: None,
            },
            Machine {
                name: "pc",
                options: "pc",
                bus: Bus::Pci,
                first_place: None,
            },
            Machine {
                name: "q35",
                options: "q35",
                bus: Bus::Pci,
                first_place: None,
            },
        ],
        needs_pvh: true,
        // The baseline of the architecture, so that a guest that boots here boots on every such CPU; and a source of random numbers, without
        // which the first getrandom(2) waits for seconds. (The device tree of other targets has a seed.)
        cpu: "qemu64,+rdrand",
        tcg_options: &[
            // Skip the calibration of the delay loop: a sixth of the time to init. The number is the result
            // of the small kernel's calibration on the machine that docs/speed.md describes. Emulated
            // devices need no exact delays.
            "lpj=500000",
        ],
        has_tsc: true,
        gdb: "i386:x86-64",
    }),
    kernels: &[Format::Elf, Format::BzImage, Format::Multiboot],
    images: &["vmlinux", "bzImage"],
    elf_machines: &[EM_X86_64, EM_386],
    memory: 128,
    console: "ttyS0",
    kernel_options: &[
        RESTART_AFTER_PANIC,
        // Restart by triple fault. A microvm has no keyboard controller, and the kernel would try to use
        // it for more than a second.
        "reboot=t",
        // Skip the calibration of the local APIC timer: under TCG it takes 40 % of the time to init.
        "nolapic_timer",
        // Skip the test of the timer interrupt: another 10 %.
        "no_timer_check",
    ],
};

const AARCH64: Target = Target {
    name: "aarch64",
    run_by: RunBy::Qemu(QemuTarget {
        program: "qemu-system-aarch64",
        machines: &[Machine {
            name: "virt",
            // A machine that exists only in QEMU. A device tree describes it.
            options: "virt",
            bus: Bus::Mmio,
            first_place: Some("virtio-mmio-bus.0"),
        }],
        needs_pvh: false,
        // Armv8.0, the baseline.
        cpu: "cortex-a53",
        tcg_options: &[],
        has_tsc: false,
        gdb: "aarch64",
    }),
    kernels: &[Format::Arm64Image, Format::Arm64ImageGz, Format::Arm64Zboot],
    images: &["Image"],
    elf_machines: &[EM_AARCH64],
    memory: 128,
    // A PL011.
    console: "ttyAMA0",
    kernel_options: &[RESTART_AFTER_PANIC],
};

const RISCV64: Target = Target {
    name: "riscv64",
    run_by: RunBy::Qemu(QemuTarget {
        program: "qemu-system-riscv64",
        machines: &[Machine {
            name: "virt",
            // The same. Its firmware, OpenSBI, comes with QEMU and writes to the console first.
            options: "virt",
            bus: Bus::Mmio,
            first_place: Some("virtio-mmio-bus.7"),
        }],
        needs_pvh: false,
        // RV64GC.
        cpu: "rv64",
        tcg_options: &[],
        has_tsc: false,
        gdb: "riscv:rv64",
    }),
    kernels: &[Format::RiscvImage],
    images: &["Image"],
    elf_machines: &[EM_RISCV],
    memory: 128,
    console: "ttyS0",
    kernel_options: &[RESTART_AFTER_PANIC],
};

const UM: Target = Target {
    name: "um",
    run_by: RunBy::Host,
    kernels: &[Format::Elf],
    images: &["linux"],
    elf_machines: &[EM_X86_64],
    memory: 64,
    console: "tty0",
    kernel_options: &[
        RESTART_AFTER_PANIC,
        // Skip the calibration of the delay loop, which takes 60 ms. Nothing in this kernel needs exact
        // delays.
        "lpj=5000000",
    ],
};

impl Target {
    /// The default: the host's own architecture, if there is a target for it.
    pub fn of_host() -> &'static Target {
        Target::named(std::env::consts::ARCH).unwrap_or(&TARGETS[0])
    }

    /// The target called `name`.
    pub fn named(name: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Its properties for QEMU, if QEMU runs its guests.
    pub fn qemu(&self) -> Option<&QemuTarget> {
        match &self.run_by {
            RunBy::Qemu(qemu) => Some(qemu),
            RunBy::Host => None,
        }
    }

    /// Whether its guests can run the programs of this host.
    pub fn is_of_host(&self) -> bool {
        matches!(self.run_by, RunBy::Host) || self.name == std::env::consts::ARCH
    }

    /// The kernel's command line. `more` depends on the machine. `append` comes last so that it can
    /// override the rest.
    pub fn command_line(&self, more: &[String], append: &str) -> String {
        let console = format!("console={}", self.console);
        let append = Some(append).filter(|text| !text.is_empty());
        let words = self.kernel_options.iter().copied();
        words
            .chain(more.iter().map(String::as_str))
            .chain(append)
            .fold(console, |line, word| line + " " + word)
    }
}

impl QemuTarget {
    /// The machine called `name`.
    pub fn machine(&self, name: &str) -> Option<&'static Machine> {
        self.machines.iter().find(|machine| machine.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_qemu_has_a_machine() {
        for (index, target) in TARGETS.iter().enumerate() {
            assert!(
                !TARGETS[..index]
                    .iter()
                    .any(|other| other.name == target.name)
            );
            let Some(qemu) = target.qemu() else { continue };
            assert!(!qemu.machines.is_empty());
            for machine in qemu.machines {
                assert!(machine.options.starts_with(machine.name));
                assert!(std::ptr::eq(qemu.machine(machine.name).unwrap(), machine));
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn two_targets_run_programs_of_the_host() {
        let of_host = TARGETS.iter().filter(|target| target.is_of_host());
        assert!(of_host.map(|target| target.name).eq(["x86_64", "um"]));
        assert_eq!(Target::of_host().name, "x86_64");
    }

    #[test]
    fn appended_options_come_last() {
        let target = Target::named("x86_64").unwrap();
        let line = "console=ttyS0 panic=-1 reboot=t nolapic_timer no_timer_check";
        assert_eq!(target.command_line(&[], ""), line);
        assert_eq!(
            target.command_line(&["lpj=500000".into()], "quiet lpj=1"),
            format!("{line} lpj=500000 quiet lpj=1")
        );
    }

    #[test]
    fn an_unknown_name_is_nothing() {
        assert!(Target::named("x86").is_none());
        assert!(TARGETS[0].qemu().unwrap().machine("microvm2").is_none());
    }
}
