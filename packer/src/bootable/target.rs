//! What the checks need to know of an architecture of the guest.

use super::config::Config;
use crate::program::Architecture;
use object::elf::{EM_386, EM_AARCH64, EM_ARM, EM_RISCV, EM_X86_64, Machine};

/// An architecture of the guest.
#[derive(Debug, PartialEq)]
pub struct Target {
    /// Its name for `--target`.
    pub name: &'static str,
    /// The programs that each of its kernels runs.
    native: Programs,
    /// The programs that some of its kernels run, and the option that these need.
    optional: &'static [(Programs, &'static str)],
    /// The serial console that QEMU's machines have, and the option for its driver.
    pub console: Option<(&'static str, &'static str)>,
    /// The option that every configuration for it has.
    option: &'static str,
}

/// `e_machine`, and whether addresses have 64 bits.
type Programs = (Machine, bool);

/// Whether a kernel can run a program.
#[derive(Debug, PartialEq)]
pub(super) enum Support {
    Always,
    /// If it has this option.
    With(&'static str),
    Never,
}

const TARGETS: &[Target] = &[
    Target {
        name: "x86_64",
        native: (EM_X86_64, true),
        optional: &[
            ((EM_386, false), "IA32_EMULATION"),
            ((EM_X86_64, false), "X86_X32_ABI"),
        ],
        console: Some(("ttyS0", "SERIAL_8250_CONSOLE")),
        option: "X86_64",
    },
    Target {
        name: "aarch64",
        native: (EM_AARCH64, true),
        optional: &[((EM_ARM, false), "COMPAT")],
        console: Some(("ttyAMA0", "SERIAL_AMBA_PL011_CONSOLE")),
        option: "ARM64",
    },
    Target {
        name: "riscv64",
        native: (EM_RISCV, true),
        optional: &[((EM_RISCV, false), "COMPAT")],
        console: Some(("ttyS0", "SERIAL_8250_CONSOLE")),
        option: "RISCV",
    },
    Target {
        name: "um",
        native: (EM_X86_64, true),
        optional: &[],
        // It has several drivers, and each of them can be the console.
        console: None,
        option: "UML",
    },
    Target {
        name: "i386",
        native: (EM_386, false),
        optional: &[],
        console: Some(("ttyS0", "SERIAL_8250_CONSOLE")),
        option: "X86_32",
    },
];

impl Target {
    /// The target called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// The names of all targets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TARGETS.iter().map(|target| target.name)
    }

    /// The target of a kernel with this configuration.
    pub fn of_config(config: &Config) -> Option<&'static Self> {
        // UML comes first: its configuration has X86_64, too.
        let is_of = |target: &&Self| config.is_built_in(target.option);
        let um = TARGETS.iter().rfind(|target| target.name == "um");
        um.filter(is_of).or_else(|| TARGETS.iter().find(is_of))
    }

    pub(super) fn runs(&self, program: Architecture) -> Support {
        let program_of = |(machine, is_64): Programs| {
            machine == Machine(program.machine) && is_64 == program.is_64
        };
        if program.is_big_endian {
            return Support::Never;
        }
        if program_of(self.native) {
            return Support::Always;
        }
        let row = self.optional.iter().find(|row| program_of(row.0));
        row.map_or(Support::Never, |(_, option)| Support::With(option))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs() {
        let runs = |target: &str, (machine, is_64): Programs| {
            let architecture = Architecture {
                machine: machine.0,
                is_64,
                is_big_endian: false,
            };
            Target::named(target).unwrap().runs(architecture)
        };
        assert_eq!(runs("x86_64", (EM_X86_64, true)), Support::Always);
        assert_eq!(
            runs("x86_64", (EM_386, false)),
            Support::With("IA32_EMULATION")
        );
        assert_eq!(runs("x86_64", (EM_AARCH64, true)), Support::Never);
        assert_eq!(runs("aarch64", (EM_ARM, false)), Support::With("COMPAT"));
        assert_eq!(runs("um", (EM_386, false)), Support::Never);
        let big = Architecture {
            machine: EM_AARCH64.0,
            is_64: true,
            is_big_endian: true,
        };
        assert_eq!(Target::named("aarch64").unwrap().runs(big), Support::Never);
    }

    #[test]
    fn configurations() {
        let of = |text: &str| {
            let config = Config::parse(text.as_bytes()).unwrap();
            Target::of_config(&config).map(|target| target.name)
        };
        assert_eq!(of("CONFIG_X86_64=y\n"), Some("x86_64"));
        assert_eq!(of("CONFIG_UML=y\nCONFIG_X86_64=y\n"), Some("um"));
        assert_eq!(of("CONFIG_ARM64=y\n"), Some("aarch64"));
        assert_eq!(of("CONFIG_MIPS=y\n"), None);
    }
}
