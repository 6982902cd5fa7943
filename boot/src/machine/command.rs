//! A virtual machine as QEMU's command line.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde::Serialize;

use crate::machine::sandbox;
use crate::machine::target::{Machine, Target};

/// A virtual machine, with its kernel and initramfs.
#[derive(Debug)]
pub struct Vm {
    /// Its architecture.
    pub target: &'static Target,
    /// Its machine model, one of the target's.
    pub machine: &'static Machine,
    /// QEMU: a path, or a name to be found in `PATH`.
    pub qemu: PathBuf,
    /// The accelerator.
    pub accel: Accel,
    /// QEMU's name of the CPU model.
    pub cpu: String,
    /// The number of processors.
    pub processors: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// The frequency of the time stamp counter for the kernel's command line, usually from
    /// [`crate::machine::tsc::of_guest`].
    pub tsc_khz: Option<u64>,
    /// A kernel in a format that QEMU's `-kernel` accepts.
    pub kernel: PathBuf,
    /// The initramfs.
    pub initrd: PathBuf,
    /// The end of the kernel's command line.
    pub append: String,
    /// Whether QEMU runs in its sandbox, usually from [`sandbox::wanted`].
    pub sandbox: bool,
    /// The socket on which the guest waits for a debugger before its first instruction.
    pub gdb: Option<PathBuf>,
    /// More arguments for QEMU, after all others.
    pub more: Vec<OsString>,
}

/// How a guest ended QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GuestExit {
    /// QEMU's exit status.
    pub status: i32,
    /// The lower seven bits of the guest's write to isa-debug-exit, if that device ended QEMU.
    pub written: Option<i32>,
}

/// An accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    /// QEMU translates the guest's instructions: slower, and the same on every host.
    Tcg,
    /// The host's CPU executes them, through `/dev/kvm`.
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
        let processors = self.processors.to_string();
        let command_line = self.command_line();
        // QEMU's default devices and the configuration in /etc/qemu differ between hosts.
        let mut arguments: Vec<OsString> =
            ["-nodefaults", "-no-user-config"].map(Into::into).into();
        let pairs: [(&str, &OsStr); 12] = [
            ("-machine", self.machine.options.as_ref()),
            ("-accel", self.accel.name().as_ref()),
            ("-cpu", self.cpu.as_ref()),
            ("-smp", processors.as_ref()),
            ("-m", memory.as_ref()),
            ("-display", "none".as_ref()),
            // As with -nographic, Ctrl-A X ends QEMU, and Ctrl-A C switches between guest and monitor.
            // With `signal=off`, Ctrl-C does not end QEMU; boot handles it before.
            ("-chardev", "stdio,id=console,mux=on,signal=off".as_ref()),
            ("-serial", "chardev:console".as_ref()),
            ("-mon", "chardev=console,mode=readline".as_ref()),
            ("-kernel", self.kernel.as_ref()),
            ("-initrd", self.initrd.as_ref()),
            ("-append", command_line.as_ref()),
        ];
        arguments.extend(
            pairs
                .iter()
                .flat_map(|(option, value)| [option.into(), value.into()]),
        );
        // End at a restart: after a panic, the guest would panic and restart forever.
        arguments.push("-no-reboot".into());
        if self.sandbox {
            arguments.extend(["-sandbox", sandbox::OPTIONS].map(Into::into));
        }
        if let Some(socket) = &self.gdb {
            let mut chardev = OsString::from("socket,id=gdb,server=on,wait=off,path=");
            chardev.push(doubled_commas(socket.as_os_str()));
            arguments.extend(["-S", "-gdb", "chardev:gdb", "-chardev"].map(Into::into));
            arguments.push(chardev);
        }
        arguments.extend(self.more.iter().cloned());
        arguments
    }

    /// The kernel's command line. (On a microvm, QEMU appends the addresses of its virtio devices.)
    pub fn command_line(&self) -> String {
        // With -icount, the guest's counter is not the host's.
        let tsc_khz = self.tsc_khz.filter(|_| !self.asks_for("icount"));
        self.target.command_line(self.accel, tsc_khz, &self.append)
    }

    /// Whether the user passes this option to QEMU, with one hyphen or two.
    fn asks_for(&self, option: &str) -> bool {
        let hyphens = ["-", "--"].map(|hyphens| OsString::from(format!("{hyphens}{option}")));
        self.more.iter().any(|word| hyphens.contains(word))
    }

    /// Whether the user passes QEMU an argument with this device name in it.
    fn has_device(&self, name: &str) -> bool {
        let has = |word: &OsString| word.to_string_lossy().contains(name);
        self.more.iter().any(has)
    }

    /// Whether the guest chose QEMU's exit status, which some devices allow. QEMU had set up the machine,
    /// and ended with `status`; `shutdown` is QMP's `ShutdownCause`.
    pub fn exit_of_guest(&self, status: i32, shutdown: Option<&str>) -> Option<GuestExit> {
        let debug_exit = self.has_device("isa-debug-exit") && status & 1 == 1;
        let semihosting = self.asks_for("semihosting") || self.asks_for("semihosting-config");
        // In newer versions of QEMU, these devices shut the machine down in order.
        let asked = shutdown.is_some_and(|reason| reason.starts_with("guest-"));
        (status != 0 && (debug_exit || semihosting || asked)).then_some(GuestExit {
            status,
            // hw/misc/debugexit.c
            written: debug_exit.then_some(status >> 1),
        })
    }

    /// A warning about options that do not work together.
    pub fn caution(&self) -> Option<&'static str> {
        let append = self.append.split_ascii_whitespace();
        let has_arguments = append.into_iter().any(|word| word == "--");
        (self.machine.name == "microvm" && has_arguments && self.has_device("virtio")).then_some(
            "the kernel will not find the virtio devices: QEMU appends their addresses to the kernel's command line, and the kernel \
             passes everything after -- to init (leave out the --, or use --machine q35 and virtio-...-pci)",
        )
    }

    /// QEMU's whole command line, for a shell.
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

/// The path of the program `name`, found in `PATH`, so that its command line also works with another
/// `PATH`. If there is none, `name` itself: then starting it fails with a clear error.
pub fn program(name: PathBuf) -> PathBuf {
    if name.as_os_str().as_bytes().contains(&b'/') {
        return name;
    }
    let executable = |path: &PathBuf| {
        let metadata = path.metadata();
        metadata.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|directory| directory.join(&name))
        .find(executable);
    found.unwrap_or(name)
}

/// `path` as a value in QEMU's options: commas separate these, so commas in the path are doubled.
fn doubled_commas(path: &OsStr) -> OsString {
    let bytes = path.as_bytes().iter();
    OsString::from_vec(
        bytes
            .flat_map(|byte| vec![*byte; 1 + usize::from(*byte == b',')])
            .collect(),
    )
}

/// `word`, quoted for a POSIX shell if necessary.
pub(crate) fn quoted(word: &str) -> String {
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
    use crate::machine::target::TARGETS;

    fn vm() -> Vm {
        let target = &TARGETS[0];
        Vm {
            target,
            machine: &target.machines[0],
            qemu: "qemu".into(),
            accel: Accel::Tcg,
            cpu: "max".into(),
            processors: 2,
            memory: 64,
            tsc_khz: Some(2_400_000),
            kernel: "a kernel".into(),
            initrd: "initrd,1".into(),
            append: "quiet".into(),
            sandbox: false,
            gdb: None,
            more: vec![],
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
            ("-cpu", "max"),
            ("-smp", "2"),
            ("-m", "64M"),
            ("-kernel", "a kernel"),
            ("-initrd", "initrd,1"),
            (
                "-append",
                "console=ttyS0 panic=-1 reboot=t nolapic_timer no_timer_check lpj=500000 \
                 tsc_early_khz=2400000 quiet",
            ),
        ] {
            assert_eq!(value(&arguments, option), expected);
        }
        assert!(arguments.contains(&"-no-reboot".into()));
    }

    #[test]
    fn the_sandbox_is_an_argument_if_wanted() {
        assert!(!vm().arguments().contains(&"-sandbox".into()));
        let sandboxed = Vm {
            sandbox: true,
            ..vm()
        };
        assert_eq!(value(&sandboxed.arguments(), "-sandbox"), sandbox::OPTIONS);
    }

    #[test]
    fn the_accelerator_has_qemus_name() {
        let arguments = Vm {
            accel: Accel::Kvm,
            ..vm()
        }
        .arguments();
        assert_eq!(value(&arguments, "-accel"), "kvm");
    }

    #[test]
    fn a_program_is_found_in_path() {
        let sh = program("sh".into());
        assert!(sh.is_absolute() && sh.ends_with("sh"), "{}", sh.display());
        for unchanged in ["no-such-program", "./sh"] {
            assert_eq!(program(unchanged.into()), PathBuf::from(unchanged));
        }
    }

    #[test]
    fn the_guest_waits_for_a_debugger_on_a_socket() {
        assert!(!vm().arguments().contains(&"-S".into()));
        let arguments = Vm {
            gdb: Some("/tmp/a,b".into()),
            ..vm()
        }
        .arguments();
        assert!(arguments.contains(&"-S".into()));
        assert_eq!(value(&arguments, "-gdb"), "chardev:gdb");
        let line = "socket,id=gdb,server=on,wait=off,path=/tmp/a,,b";
        assert_eq!(arguments.last().unwrap(), line);
    }

    #[test]
    fn more_arguments_come_last_so_that_they_can_override() {
        let more = ["-m", "1G"].map(OsString::from).to_vec();
        let arguments = Vm { more, ..vm() }.arguments();
        assert!(arguments.ends_with(&["-m".into(), "1G".into()]));
    }

    #[test]
    fn with_icount_the_kernel_gets_no_frequency() {
        for (word, told) in [
            ("-icount", false),
            ("--icount", false),
            ("-no-icount", true),
        ] {
            let more = [word, "shift=0"].map(OsString::from).to_vec();
            let line = Vm { more, ..vm() }.command_line();
            assert_eq!(line.contains("tsc_early_khz="), told, "{word}");
        }
    }

    #[test]
    fn devices_that_the_kernel_cannot_find_cause_a_warning() {
        let caution = |machine: usize, append: &str, device: &str| {
            let vm = Vm {
                machine: &TARGETS[0].machines[machine],
                append: append.into(),
                more: ["-device", device].map(OsString::from).to_vec(),
                ..vm()
            };
            vm.caution().is_some()
        };
        assert!(caution(0, "quiet -- x", "virtio-rng-device"));
        assert!(!caution(0, "quiet --x", "virtio-rng-device"));
        assert!(!caution(0, "-- x", "isa-debug-exit"));
        assert!(!caution(2, "-- x", "virtio-rng-pci"));
    }

    #[test]
    fn an_exit_status_that_the_guest_chose_is_recognised() {
        let exit = |more: &str, status, shutdown| {
            let more = more.split(' ').map(OsString::from).collect();
            Vm { more, ..vm() }.exit_of_guest(status, shutdown)
        };
        let chosen = |status, written| Some(GuestExit { status, written });
        let device = "-device isa-debug-exit,iobase=0xf4,iosize=0x04";
        assert_eq!(exit(device, 33, None), chosen(33, Some(16)));
        assert_eq!(exit(device, 1, None), chosen(1, Some(0)));
        // isa-debug-exit causes only odd statuses.
        assert_eq!(exit(device, 2, None), None);
        assert_eq!(exit("-semihosting", 7, None), chosen(7, None));
        assert_eq!(exit("", 7, Some("guest-shutdown")), chosen(7, None));
        assert_eq!(exit("", 7, Some("host-error")), None);
        assert_eq!(exit("", 1, None), None);
        assert_eq!(exit("-semihosting", 0, None), None);
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
