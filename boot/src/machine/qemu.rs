//! A virtual machine of QEMU, as its command line.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::machine::qmp::State;
use crate::machine::sandbox;
use crate::machine::target::{Bus, Machine, QemuTarget};
use crate::machine::vm::{End, GuestExit, Vm};

/// A QEMU and its virtual hardware.
#[derive(Debug)]
pub struct Qemu {
    /// The properties of its target.
    pub target: &'static QemuTarget,
    /// QEMU: a path, or a name to be found in `PATH`.
    pub program: PathBuf,
    /// Its machine model, one of the target's.
    pub machine: &'static Machine,
    /// The accelerator.
    pub accel: Accel,
    /// QEMU's name of the CPU model.
    pub cpu: String,
    /// The number of processors.
    pub processors: u32,
    /// The frequency of the time stamp counter for the kernel's command line, usually from
    /// [`crate::machine::tsc::of_guest`].
    pub tsc_khz: Option<u64>,
    /// Whether QEMU runs in its sandbox, usually from [`sandbox::wanted`].
    pub sandbox: bool,
    /// The socket on which the guest waits for a debugger before its first instruction.
    pub gdb: Option<PathBuf>,
    /// More arguments for QEMU, after all others.
    pub more: Vec<OsString>,
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

impl Qemu {
    /// QEMU's arguments: a bare machine whose serial port is QEMU's stdin and stdout.
    pub fn arguments(&self, vm: &Vm) -> Vec<OsString> {
        let memory = format!("{}M", vm.memory);
        let processors = self.processors.to_string();
        let command_line = vm.command_line();
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
            ("-kernel", vm.kernel.as_ref()),
            ("-initrd", vm.initrd.as_ref()),
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

    /// Options for the kernel that depend on the accelerator, with the frequency of the time stamp counter
    /// if it is known.
    pub fn kernel_options(&self) -> Vec<String> {
        let options = match self.accel {
            Accel::Tcg => self.target.tcg_options,
            Accel::Kvm => &[],
        };
        // With -icount, the guest's counter is not the host's.
        let tsc_khz = self.tsc_khz.filter(|_| !self.asks_for("icount"));
        let tsc = tsc_khz.map(|khz| format!("tsc_early_khz={khz}"));
        let options = options.iter().map(|option| option.to_string());
        options.chain(tsc).collect()
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

    /// How QEMU ended. `said` has its reports, and `stderr` the lines of its stderr.
    pub fn end(&self, status: Option<ExitStatus>, said: &State, stderr: &[String]) -> End {
        // A quick guest ends QEMU before QMP reports that the machine is ready. A QEMU that fails says why.
        let only_warnings = stderr.iter().all(|line| line.contains(": warning: "));
        End {
            failure: status
                .filter(|status| !status.success())
                .map(|status| status.to_string()),
            guest_exit: status
                .and_then(|status| status.code())
                .filter(|_| said.ready.is_some() || only_warnings)
                .and_then(|code| self.exit_of_guest(code, said.shutdown.as_deref())),
            // QMP does not report that a debugger ended QEMU.
            debugged: self.gdb.is_some() && said.shutdown.is_none(),
            shutdown: said.shutdown.clone(),
        }
    }

    /// Whether the guest chose QEMU's exit status, which some devices allow. QEMU had set up the machine,
    /// and ended with `status`; `shutdown` is QMP's `ShutdownCause`.
    fn exit_of_guest(&self, status: i32, shutdown: Option<&str>) -> Option<GuestExit> {
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
    pub fn caution(&self, vm: &Vm) -> Option<&'static str> {
        let append = vm.append.split_ascii_whitespace();
        let has_arguments = append.into_iter().any(|word| word == "--");
        (self.machine.name == "microvm" && has_arguments && self.has_device("virtio")).then_some(
            "the kernel will not find the virtio devices: QEMU appends their addresses to the kernel's command line, and the kernel \
             passes everything after -- to init (leave out the --, or use --machine q35 and virtio-...-pci)",
        )
    }
}

/// The path of the channel's device in the guest: the first port of a virtio console that is no console.
pub const CHANNEL: &str = "/dev/vport0p1";

/// The path of the device in the guest that is the stream `number` of the program, if the program is PID 1. A virtio
/// console waits in write(2) until QEMU has the bytes, so a panic after it loses none.
pub fn stream(number: usize) -> String {
    format!("/dev/hvc{number}")
}

/// QEMU's arguments for devices that are the other ends of these sockets: the channel, and the streams of the program.
pub fn port_arguments(ports: &[OwnedFd], machine: &Machine) -> Vec<String> {
    let streams = ports.len().saturating_sub(1);
    // The first port is reserved for a console. With the default of 31 ports, the guest sets up 64 queues.
    let count = 1 + streams.max(1);
    let serial = machine.bus.device("serial");
    // CHANNEL has the number of the virtio device in it.
    let place = machine.first_place.map(|place| format!(",bus={place}"));
    let place = place.unwrap_or_default();
    let mut arguments = vec![
        "-device".into(),
        format!("{serial},max_ports={count}{place}"),
    ];
    let kinds = std::iter::once("virtserialport").chain(std::iter::repeat("virtconsole"));
    for ((number, port), kind) in ports.iter().enumerate().zip(kinds) {
        let fd = port.as_raw_fd();
        arguments.extend([
            "-chardev".into(),
            format!("socket,id=port{number},fd={fd}"),
            "-device".into(),
            format!("{kind},chardev=port{number}"),
        ]);
    }
    arguments
}

/// QEMU's arguments that let a guest mount the host's directory `path` as `tag`, through 9p.
pub fn share_arguments(tag: &str, path: &Path, writable: bool, bus: Bus) -> [OsString; 4] {
    let readonly = if writable { "off" } else { "on" };
    let mut fsdev = OsString::from(format!(
        "local,id={tag},security_model=none,multidevs=remap,readonly={readonly},path="
    ));
    fsdev.push(doubled_commas(path.as_os_str()));
    [
        "-fsdev".into(),
        fsdev,
        "-device".into(),
        format!("{},fsdev={tag},mount_tag={tag}", bus.device("9p")).into(),
    ]
}

/// `path` as a value in QEMU's options: commas separate these, so commas in the path are doubled.
pub(crate) fn doubled_commas(path: &OsStr) -> OsString {
    let bytes = path.as_bytes().iter();
    OsString::from_vec(
        bytes
            .flat_map(|byte| vec![*byte; 1 + usize::from(*byte == b',')])
            .collect(),
    )
}

#[cfg(test)]
mod tests;
