//! The agent's steps, encoded, and what each one is for if it fails.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use agent::protocol;
use rustix::mount::MountFlags;

/// The steps.
#[derive(Debug, Default)]
pub struct Steps {
    bytes: Vec<u8>,
    purposes: Vec<Purpose>,
}

/// What a step is for.
#[derive(Debug)]
enum Purpose {
    /// A file system of this type.
    Mount(String, OsString),
    /// Something else, as a sentence after "cannot".
    Other(String),
}

/// The options of the kernel that file systems need.
const OPTIONS: &[(&str, &str)] = &[
    ("hostfs", "CONFIG_HOSTFS"),
    ("9p", "CONFIG_9P_FS and CONFIG_NET_9P_VIRTIO"),
    ("overlay", "CONFIG_OVERLAY_FS"),
    ("tmpfs", "CONFIG_TMPFS"),
    ("proc", "CONFIG_PROC_FS"),
    ("sysfs", "CONFIG_SYSFS"),
    ("devtmpfs", "CONFIG_DEVTMPFS"),
    ("devpts", "CONFIG_UNIX98_PTYS"),
];

const ENODEV: i32 = 19;

impl Steps {
    /// Makes a directory, unless it exists.
    pub fn mkdir(&mut self, path: &Path) {
        self.add(protocol::MKDIR, 0, &[path.as_os_str()]);
        self.purpose(format!("make the directory {}", path.display()));
    }

    /// Mounts a file system.
    pub fn mount(&mut self, source: &str, at: &Path, kind: &str, flags: MountFlags, data: &OsStr) {
        let strings = [source.as_ref(), at.as_os_str(), kind.as_ref(), data];
        self.add(protocol::MOUNT, u64::from(flags.bits()), &strings);
        self.purposes.push(Purpose::Mount(kind.into(), at.into()));
    }

    /// Makes a symbolic link, unless there is something.
    pub fn symlink(&mut self, target: &str, path: &Path) {
        self.add(protocol::SYMLINK, 0, &[target.as_ref(), path.as_os_str()]);
        self.purpose(format!("make the symbolic link {}", path.display()));
    }

    /// Makes `path` the root.
    pub fn root(&mut self, path: &Path) {
        self.add(protocol::ROOT, 0, &[path.as_os_str()]);
        self.purpose(format!("make {} the root directory", path.display()));
    }

    /// Goes to a directory.
    pub fn chdir(&mut self, path: &Path) {
        self.add(protocol::CHDIR, 0, &[path.as_os_str()]);
        self.purpose(format!("change to the directory {}", path.display()));
    }

    /// Switches the network interface `lo` on.
    pub fn loopback(&mut self) {
        self.add(protocol::LOOPBACK, 0, &[]);
        self.purpose("switch on the network interface lo".into());
    }

    /// Sets the network interface `name` up: its address in a network of 24 bits, and the gateway of the default route.
    pub fn network(&mut self, name: &str, address: Ipv4Addr, gateway: Ipv4Addr) {
        let [address, gateway] =
            [address, gateway].map(|address| u32::from_le_bytes(address.octets()));
        let number = u64::from(address) | (u64::from(gateway) << 32);
        self.add(protocol::NETWORK, number, &[name.as_ref()]);
        self.purpose(format!(
            "set up {name}, which needs CONFIG_VIRTIO_NET and CONFIG_INET"
        ));
    }

    /// Writes a file, in place of what was there.
    pub fn write(&mut self, path: &Path, contents: &str) {
        self.add(protocol::WRITE, 0, &[path.as_os_str(), contents.as_ref()]);
        self.purpose(format!("write the file {}", path.display()));
    }

    /// The user and the group of the program.
    pub fn user(&mut self, user: u32, group: u32) {
        let number = u64::from(user) | (u64::from(group) << 32);
        self.add(protocol::USER, number, &[]);
        self.purpose(format!("change to user {user}"));
    }

    /// The first size of the program's terminal.
    pub fn terminal(&mut self, rows: u16, columns: u16) {
        self.add(
            protocol::TERMINAL,
            u64::from(rows) | (u64::from(columns) << 16),
            &[],
        );
        self.purpose("make a terminal".into());
    }

    /// The program becomes PID 1, and its streams are these devices.
    pub fn init(&mut self, devices: &[String; 3]) {
        let paths = devices.each_ref().map(OsStr::new);
        self.add(protocol::INIT, 0, &paths);
        self.purpose("make the program PID 1".into());
    }

    /// The program: where it may be, its arguments, its environment as `NAME=VALUE`, and which of its streams are
    /// terminals. The last step.
    pub fn execute(
        &mut self,
        paths: &[OsString],
        arguments: &[OsString],
        environment: &[OsString],
        terminals: [bool; 3],
    ) {
        let terminals = terminals.iter().rev();
        let terminals = terminals.fold(0, |bits, terminal| (bits << 1) | u64::from(*terminal));
        for (kind, number, strings) in [
            (protocol::ENVIRONMENT, 0, environment),
            (protocol::PATHS, 0, paths),
            (protocol::EXECUTE, terminals, arguments),
        ] {
            let strings: Vec<_> = strings.iter().map(OsString::as_os_str).collect();
            self.add(kind, number, &strings);
            self.purpose(format!("execute {}", arguments[0].to_string_lossy()));
        }
    }

    fn purpose(&mut self, purpose: String) {
        self.purposes.push(Purpose::Other(purpose));
    }

    fn add(&mut self, kind: u8, number: u64, strings: &[&OsStr]) {
        let count = strings.len() as u32;
        self.bytes.extend([kind, 0, 0, 0]);
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(number.to_le_bytes());
        for string in strings {
            let length = string.len() as u32 + 1;
            self.bytes.extend(length.to_le_bytes());
            self.bytes.extend(string.as_bytes());
            self.bytes.push(0);
        }
    }

    /// The steps as the agent reads them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Why the step at this place failed with `errno`, as a sentence, and whether it was the program's execution.
    pub fn failure(&self, place: usize, errno: i32) -> (String, bool) {
        let error = io::Error::from_raw_os_error(errno);
        match self.purposes.get(place) {
            Some(Purpose::Mount(kind, _)) if errno == ENODEV => {
                let option = OPTIONS.iter().find(|(name, _)| name == kind);
                let option = option.map_or("the option for it", |(_, option)| option);
                let sentence = format!(
                    "the guest's kernel does not have the file system {kind}; use a kernel with {option}"
                );
                (sentence, false)
            }
            Some(Purpose::Mount(kind, at)) => {
                let at = at.to_string_lossy();
                (
                    format!("the guest cannot mount {kind} at {at}: {error}"),
                    false,
                )
            }
            Some(Purpose::Other(purpose)) => {
                let last = place + 1 == self.purposes.len();
                (format!("the guest cannot {purpose}: {error}"), last)
            }
            None => (format!("the agent failed: {error}"), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_reads_what_is_written() {
        let mut steps = Steps::default();
        steps.mkdir(Path::new("/a"));
        steps.execute(
            &["/bin/sh".into()],
            &["sh".into(), "".into()],
            &[],
            [true, false, true],
        );
        let (first, rest) = protocol::step(steps.bytes()).unwrap();
        assert_eq!(
            (first.kind, first.strings),
            (protocol::MKDIR, &b"\x03\0\0\0/a\0"[..])
        );
        let (_, rest) = protocol::step(rest).unwrap();
        let (_, rest) = protocol::step(rest).unwrap();
        let (last, rest) = protocol::step(rest).unwrap();
        assert_eq!(
            (last.kind, last.count, last.number),
            (protocol::EXECUTE, 2, 0b101)
        );
        assert!(rest.is_empty());
    }

    #[test]
    fn a_failure_says_what_was_tried() {
        let mut steps = Steps::default();
        steps.mount(
            "",
            Path::new("/lower"),
            "hostfs",
            MountFlags::RDONLY,
            OsStr::new("/"),
        );
        steps.execute(&[], &["x".into()], &[], [false; 3]);
        for (place, errno, sentence, is_program) in [
            (
                0,
                19,
                "the guest's kernel does not have the file system hostfs; use a kernel with CONFIG_HOSTFS",
                false,
            ),
            (
                0,
                13,
                "the guest cannot mount hostfs at /lower: Permission denied (os error 13)",
                false,
            ),
            (
                3,
                2,
                "the guest cannot execute x: No such file or directory (os error 2)",
                true,
            ),
            (
                9,
                1,
                "the agent failed: Operation not permitted (os error 1)",
                false,
            ),
        ] {
            assert_eq!(
                steps.failure(place, errno),
                (sentence.to_owned(), is_program)
            );
        }
    }
}
