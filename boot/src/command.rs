//! A virtual machine as QEMU's command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::ValueEnum;

use crate::target::{Machine, Target};

/// What is booted, and on what.
#[derive(Debug)]
pub struct Vm {
    /// Its architecture.
    pub target: &'static Target,
    /// Its machine model, one of the target's.
    pub machine: &'static Machine,
    /// QEMU: a path, or a name to be found in `PATH`.
    pub qemu: PathBuf,
    /// Who executes the guest's instructions.
    pub accel: Accel,
    /// Memory in MiB.
    pub memory: u32,
    /// Anything that QEMU's `-kernel` takes.
    pub kernel: PathBuf,
    /// The initramfs.
    pub initrd: PathBuf,
    /// The end of the kernel's command line.
    pub append: String,
}

/// Who executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Accel {
    /// QEMU, translating them: slower, and the same on every host.
    Tcg,
    /// The host's CPU, through `/dev/kvm`.
    Kvm,
}

impl Accel {
    /// QEMU's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Accel::Tcg => "tcg",
            Accel::Kvm => "kvm",
        }
    }
}

impl Vm {
    /// QEMU's arguments: a bare machine whose serial port is QEMU's stdin and stdout.
    pub fn arguments(&self) -> Vec<OsString> {
        let memory = format!("{}M", self.memory);
        let command_line = self.target.command_line(&self.append);
        // The devices that QEMU would add unasked, and what the host's administrator put into
        // /etc/qemu, differ from one QEMU to the next.
        let mut arguments: Vec<OsString> =
            ["-nodefaults", "-no-user-config"].map(Into::into).into();
        let pairs: [(&str, &OsStr); 10] = [
            ("-machine", self.machine.options.as_ref()),
            ("-accel", self.accel.name().as_ref()),
            ("-cpu", self.target.cpu.as_ref()),
            ("-m", memory.as_ref()),
            ("-display", "none".as_ref()),
            // As -nographic has it: Ctrl-A X quits, Ctrl-A C switches between guest and monitor.
            // `signal=off` hands Ctrl-C to the guest instead of taking it as QEMU's end; boot takes
            // it before that.
            ("-chardev", "stdio,id=console,mux=on,signal=off".as_ref()),
            ("-serial", "chardev:console".as_ref()),
            ("-mon", "chardev=console,mode=readline".as_ref()),
            ("-kernel", self.kernel.as_ref()),
            ("-initrd", self.initrd.as_ref()),
        ];
        arguments.extend(
            pairs
                .iter()
                .flat_map(|(option, value)| [option.into(), value.into()]),
        );
        arguments.extend(["-append".into(), command_line.into()]);
        // A guest that restarts has ended: after a panic it would panic again, for ever.
        arguments.push("-no-reboot".into());
        arguments
    }

    /// The whole command, to be pasted into a shell.
    pub fn shell_line(&self) -> String {
        let arguments = self.arguments();
        let words =
            std::iter::once(self.qemu.as_os_str()).chain(arguments.iter().map(OsString::as_os_str));
        words
            .map(|word| quoted(&word.to_string_lossy()))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// `word` as a POSIX shell has to see it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::TARGETS;

    fn vm() -> Vm {
        let target = &TARGETS[0];
        Vm {
            target,
            machine: &target.machines[0],
            qemu: "qemu".into(),
            accel: Accel::Tcg,
            memory: 64,
            kernel: "a kernel".into(),
            initrd: "initrd,1".into(),
            append: "quiet".into(),
        }
    }

    fn value(arguments: &[OsString], option: &str) -> OsString {
        let at = arguments
            .iter()
            .position(|argument| argument == option)
            .unwrap();
        arguments[at + 1].clone()
    }

    #[test]
    fn every_field_reaches_qemu_unchanged() {
        let arguments = vm().arguments();
        for (option, expected) in [
            ("-machine", TARGETS[0].machines[0].options),
            ("-accel", "tcg"),
            ("-m", "64M"),
            ("-kernel", "a kernel"),
            ("-initrd", "initrd,1"),
            (
                "-append",
                "console=ttyS0 panic=-1 reboot=t nolapic_timer no_timer_check quiet",
            ),
        ] {
            assert_eq!(value(&arguments, option), expected);
        }
        assert!(arguments.contains(&"-no-reboot".into()));
    }

    #[test]
    fn acceleration_is_named_as_qemu_does() {
        let arguments = Vm {
            accel: Accel::Kvm,
            ..vm()
        }
        .arguments();
        assert_eq!(value(&arguments, "-accel"), "kvm");
    }

    #[test]
    fn the_shell_line_is_safe_to_paste() {
        let line = vm().shell_line();
        assert!(line.starts_with("qemu -nodefaults "), "{line}");
        assert!(
            line.contains(" -kernel 'a kernel' -initrd initrd,1 "),
            "{line}"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
