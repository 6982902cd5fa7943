//! User-mode Linux (`ARCH=um`): a kernel that is a program of the host, and whose guests are processes of
//! the host. It needs ptrace(2) or seccomp(2), and no KVM, no QEMU and no privileges. (Linux'
//! Documentation/virt/uml/user_mode_linux_howto_v2.rst.)

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Result, bail};
use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::machine::ptrace::{self, Obstacle};
use crate::machine::vm::{End, GuestExit, Vm};

/// How a kernel runs on the host.
#[derive(Debug)]
pub struct UserMode {
    /// The directory for the file that is the guest's memory, usually from [`memory_directory`].
    pub memory_directory: PathBuf,
    /// Whether the kernel can do without ptrace(2), as `inspect::has_seccomp` tells.
    pub seccomp: bool,
    /// Whether the kernel's heap is at a random address.
    pub randomized: bool,
}

/// The value of `argv[0]`. At a restart, user-mode Linux executes this path again. The path cannot exist, so
/// the kernel ends instead, with the message [`RESTARTED`].
pub const ARGV0: &str = "/dev/null/linux";

/// The message of a kernel that wanted to restart (arch/um/os-Linux/main.c).
const RESTARTED: &str = "Failed to exec kernel";

/// The signal of abort(3). A panic ends the kernel with it (os_dump_core() in arch/um/os-Linux/util.c).
const SIGABRT: i32 = 6;

/// What the kernel needs for a table of the pages between itself and its heap, in MiB, if the address of the heap is
/// random: 64 bytes for each page of a distance of up to 1 GiB. Without it, half of the boots with 16 MiB fail ("Failed to
/// allocate 10665984 bytes for node 0 memory map").
const TABLE: u32 = 16;

impl UserMode {
    /// The memory's directory, and whether the kernel has seccomp. Finds out whether the host forbids to switch address
    /// randomization off, as containers of Docker and gVisor do.
    pub fn new(memory_directory: PathBuf, seccomp: bool) -> Self {
        UserMode {
            memory_directory,
            seccomp,
            randomized: !can_stop_randomizing(),
        }
    }

    /// Fails if this host cannot run the kernel.
    pub fn check(&self) -> Result<()> {
        match ptrace::stop_time(1) {
            Err(Obstacle::Ptrace(_)) if self.seccomp => Ok(()),
            Err(obstacle) => {
                bail!("{obstacle}; user-mode Linux needs that (boot in QEMU: --target x86_64)")
            }
            Ok(_) => Ok(()),
        }
    }

    /// The kernel's arguments.
    pub fn arguments(&self, vm: &Vm) -> Vec<OsString> {
        let mut initrd = OsString::from("initrd=");
        initrd.push(&vm.initrd);
        let mut arguments = vec![
            format!(
                "mem={}M",
                vm.memory + if self.randomized { TABLE } else { 0 }
            )
            .into(),
            initrd,
            "con0=fd:0,fd:1".into(),
            // The kernel would write its process id to a file in HOME, or panic if there is no HOME.
            "uml_dir=/dev/null".into(),
        ];
        if self.seccomp {
            // Faster than ptrace(2), and the default is off. If the host has no seccomp(2), the kernel takes ptrace(2).
            arguments.push("seccomp=auto".into());
        }
        arguments.extend(words(&vm.command_line()).into_iter().map(Into::into));
        arguments
    }

    /// The kernel's whole environment. None of it reaches the guest.
    fn environment(&self) -> [(&'static str, OsString); 2] {
        [
            ("TMPDIR", self.memory_directory.clone().into()),
            // A kernel that is linked statically has glibc's area for rseq(2) in its heap. Before Linux 6.13
            // the guest's processes inherit the registration, but not the heap: the host kills them
            // ("wait_stub_done : failed to wait for SIGTRAP").
            ("GLIBC_TUNABLES", "glibc.pthread.rseq=0".into()),
        ]
    }

    /// Gives `command`, which will run the kernel, its environment and its limits, and switches address randomization off.
    pub fn prepare(&self, command: &mut Command) {
        command.env_clear().envs(self.environment());
        restrict(command, !self.randomized);
    }

    /// The words before the kernel in a command line for a shell.
    pub fn shell_words(&self) -> Vec<OsString> {
        let mut words = self.environment_words();
        if !self.randomized {
            words.extend(["setarch", "-R"].map(OsString::from));
        }
        words
    }

    /// The words that set the environment in a command line for a shell.
    pub fn environment_words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["env".into()];
        words.extend(self.environment().into_iter().map(|(name, value)| {
            let mut word = OsString::from(name);
            word.push("=");
            word.push(value);
            word
        }));
        words
    }
}

/// The path of the channel's device in the guest.
pub const CHANNEL: &str = "/dev/tty1";

/// The number of bytes that may wait in that device. When it has 3968, Linux switches the device off until a program has
/// read most of them, and user-mode Linux never switches it on again (line_throttle() in arch/um/drivers/line.c). Only
/// frames with data are counted, so there is room for some others.
pub const CHANNEL_WINDOW: usize = 3000;

/// The path of the device in the guest that is the stream `number` of the program, if the program is PID 1.
pub fn stream(number: usize) -> String {
    format!("/dev/tty{}", number + 2)
}

/// The arguments that make these sockets the other ends of devices: the channel, and the streams of the program.
pub fn port_arguments(ports: &[OwnedFd]) -> impl Iterator<Item = String> + '_ {
    let numbered = (1..).zip(ports);
    numbered.map(|(number, port)| format!("con{number}=fd:{}", port.as_raw_fd()))
}

/// Tries personality(2) with the option that switches address randomization off, and undoes it. Without randomization,
/// programs that this process starts would be easier to attack.
#[allow(unsafe_code)]
fn can_stop_randomizing() -> bool {
    // Only asks.
    const CURRENT: libc::c_ulong = 0xffff_ffff;
    let personality = |wanted| {
        // SAFETY: personality(2) takes a number.
        let before = unsafe { libc::personality(wanted) };
        libc::c_ulong::try_from(before).ok()
    };
    let Some(own) = personality(CURRENT) else {
        return false;
    };
    let can = personality(own | NOT_RANDOM).is_some();
    personality(own);
    can
}

/// The flag of personality(2).
const NOT_RANDOM: libc::c_ulong = libc::ADDR_NO_RANDOMIZE as libc::c_ulong;

/// Makes `command`, which runs user-mode Linux, leave no core file, and have its heap at a fixed address if that
/// `is_possible`.
#[allow(unsafe_code)]
fn restrict(command: &mut Command, is_possible: bool) {
    let restrict = move || {
        if is_possible {
            // SAFETY: personality(2) takes a number.
            unsafe { libc::personality(NOT_RANDOM) };
        }
        // A panic ends the kernel with abort(3).
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        Ok(setrlimit(Resource::Core, none)?)
    };
    // SAFETY: between fork and exec of a process with threads only async-signal-safe work is
    // allowed. `restrict` makes system calls; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(restrict) };
}

/// The words of a kernel's command line. Blanks in double quotes do not separate words.
fn words(line: &str) -> Vec<String> {
    let mut in_quotes = false;
    let separates = |c: char| {
        in_quotes ^= c == '"';
        !in_quotes && c.is_ascii_whitespace()
    };
    let words = line.split(separates).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Fails if the path of the initramfs cannot be an option of the kernel.
pub fn check_initrd(path: &Path) -> Result<()> {
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes
        .iter()
        .any(|byte| byte.is_ascii_whitespace() || *byte == b'"')
    {
        bail!(
            "{}: user-mode Linux cannot load an initramfs whose path has a blank or a quotation mark: the path is \
             a word of the kernel's command line (rename it, or name another one with --initrd FILE)",
            path.display()
        );
    }
    Ok(())
}

/// The directory for POSIX shared memory (shm_overview(7)), a tmpfs.
pub const SHARED_MEMORY: &str = "/dev/shm";

/// A directory for the file that is the guest's memory, `memory` MiB. The file has no name. It must be
/// executable, and should be on a tmpfs, because writing it to a disk costs time: the first choice is
/// /dev/shm, and the second one `fallback`.
///
/// # Errors
/// If neither can be used.
pub fn memory_directory(memory: u32, fallback: &Path) -> Result<PathBuf> {
    let mut problems = Vec::new();
    for directory in [Path::new(SHARED_MEMORY), fallback] {
        match problem(directory, memory) {
            None => return Ok(directory.into()),
            Some(problem) => problems.push(format!("{} {problem}", directory.display())),
        }
    }
    bail!(
        "no place for the guest's memory, an executable file of {memory} MiB: {} \
         (use less with --memory, or name another directory with TMPDIR=DIR)",
        problems.join(", and ")
    )
}

/// Why the guest's memory cannot be in `directory`.
fn problem(directory: &Path, memory: u32) -> Option<String> {
    let file_system = match statvfs(directory) {
        Ok(file_system) => file_system,
        Err(error) => return Some(format!("cannot be used: {error}")),
    };
    let free = (file_system.f_bavail * file_system.f_frsize) >> 20;
    if file_system.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        Some("is mounted noexec".into())
    } else if free < u64::from(memory) {
        Some(format!("has {free} MiB free"))
    } else {
        let file = tempfile::tempfile_in(directory).err()?;
        Some(format!("cannot be written: {file}"))
    }
}

/// How the kernel's process ended. `stderr` has the lines of its stderr.
pub fn end(status: Option<ExitStatus>, stderr: &[String], has_output: bool) -> End {
    let Some(status) = status else {
        return End::default();
    };
    let restarted = stderr.iter().any(|line| line.starts_with(RESTARTED));
    let shutdown = |cause: &str| End {
        shutdown: Some(cause.into()),
        ..End::default()
    };
    match (status.code(), status.signal()) {
        (_, _) if restarted => shutdown("guest-reset"),
        (Some(0), _) => shutdown("guest-shutdown"),
        // The guest wrote it to /proc/exitcode.
        (Some(status), _) if has_output => End {
            guest_exit: Some(GuestExit {
                status,
                written: None,
            }),
            ..shutdown("guest-shutdown")
        },
        (_, Some(SIGABRT)) if has_output => shutdown("guest-panic"),
        _ => End {
            failure: Some(status.to_string()),
            ..End::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::target::Target;
    use crate::machine::vm::{self, Runner};

    fn vm(seccomp: bool, randomized: bool) -> Vm {
        Vm {
            target: Target::named("um").unwrap(),
            memory: 16,
            kernel: "a kernel".into(),
            initrd: "initrd".into(),
            append: "quiet -- \"a b\"".into(),
            runner: Runner::UserMode(UserMode {
                memory_directory: "/dev/shm".into(),
                seccomp,
                randomized,
            }),
        }
    }

    #[test]
    fn every_word_of_the_command_line_is_an_argument() {
        let mut expected = vec![
            "mem=16M",
            "initrd=initrd",
            "con0=fd:0,fd:1",
            "uml_dir=/dev/null",
            "console=tty0",
            "panic=-1",
            "lpj=5000000",
            "quiet",
            "--",
            "\"a b\"",
        ];
        assert!(vm(false, false).arguments().iter().eq(&expected));
        expected.insert(4, "seccomp=auto");
        assert!(vm(true, false).arguments().iter().eq(&expected));
        expected[0] = "mem=32M";
        assert!(vm(true, true).arguments().iter().eq(&expected));
    }

    #[test]
    fn only_the_kernel_has_fixed_addresses() {
        let own = || std::fs::read_to_string("/proc/self/personality").unwrap();
        let before = own();
        let host = UserMode::new("/dev/shm".into(), false);
        assert_eq!(own(), before);
        let mut command = Command::new(vm::program("cat".into()));
        host.prepare(&mut command);
        let output = command.arg("/proc/self/personality").output().unwrap();
        let of_kernel = String::from_utf8(output.stdout).unwrap();
        let number = u64::from_str_radix(of_kernel.trim(), 16).unwrap();
        assert_eq!(number & NOT_RANDOM != 0, !host.randomized, "{of_kernel}");
    }

    #[test]
    fn the_shell_line_has_the_environment() {
        let environment = "env TMPDIR=/dev/shm GLIBC_TUNABLES=glibc.pthread.rseq=0";
        for (randomized, words) in [
            (false, "setarch -R 'a kernel' mem=16M "),
            (true, "'a kernel' mem=32M "),
        ] {
            let line = vm(false, randomized).shell_line();
            assert!(
                line.starts_with(&format!("{environment} {words}")),
                "{line}"
            );
        }
    }

    #[test]
    fn the_end_is_told_by_status_and_message() {
        let restarted = ["Failed to exec kernel: Not a directory".to_owned()];
        for (status, stderr, has_output, shutdown, exit, failure) in [
            (0, &[][..], true, Some("guest-shutdown"), None, None),
            (0, &restarted, true, Some("guest-reset"), None, None),
            (7 << 8, &[], true, Some("guest-shutdown"), Some(7), None),
            (6, &[], true, Some("guest-panic"), None, None),
            (1 << 8, &[], false, None, None, Some("exit status: 1")),
            (11, &[], true, None, None, Some("signal: 11 (SIGSEGV)")),
        ] {
            let end = end(Some(ExitStatus::from_raw(status)), stderr, has_output);
            assert_eq!(end.shutdown.as_deref(), shutdown, "{status}");
            assert_eq!(end.guest_exit.map(|exit| exit.status), exit, "{status}");
            assert_eq!(end.failure.as_deref(), failure, "{status}");
        }
    }

    #[test]
    fn a_place_without_room_is_refused() {
        let error = memory_directory(u32::MAX, Path::new("/proc")).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("4294967295 MiB: /dev/shm "), "{error}");
        assert!(error.contains(", and /proc "), "{error}");
    }
}
