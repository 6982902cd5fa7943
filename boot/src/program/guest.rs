//! What the program finds in its guest: files, devices, a directory and an environment.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::mount::MountFlags;

use crate::machine::network::Forward;
use crate::machine::target::Bus;
use crate::machine::{network, qemu, user_mode};
use crate::program::devices;
use crate::program::steps::Steps;

/// The program and its surroundings.
#[derive(Debug)]
pub struct Guest {
    /// The program's name and arguments.
    pub command: Vec<OsString>,
    /// Its path, if it is packed: then the guest has none of the host's files except shares.
    pub packed: Option<PathBuf>,
    /// Its environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Its directory.
    pub directory: PathBuf,
    /// Directories of the host besides the root.
    pub shares: Vec<Share>,
    /// The ports of its network beyond loopback, if it has one. Only QEMU offers that.
    pub network: Option<Vec<Forward>>,
    /// Whether the program is PID 1.
    pub is_init: bool,
    /// The user and the group, if not root.
    pub user: Option<(u32, u32)>,
    /// Which of its streams are terminals.
    pub terminals: [bool; 3],
    /// The rows and the columns of the terminal, if there is one.
    pub size: Option<(u16, u16)>,
}

/// A directory of the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The directory.
    pub path: PathBuf,
    /// Where the guest has it.
    pub at: PathBuf,
    /// Whether the guest may change it.
    pub writable: bool,
}

/// How a guest sees the host's files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HostFiles {
    /// User-mode Linux has them itself.
    Hostfs,
    /// QEMU offers them.
    NineP,
}

/// The number of the root among the shares.
const ROOT: usize = 0;

/// The name of the share `number` for QEMU and the guest.
fn tag(number: usize) -> String {
    format!("share{number}")
}

impl HostFiles {
    /// Those of a machine with this bus. Without one, it is user-mode Linux.
    pub fn on(bus: Option<Bus>) -> HostFiles {
        match bus {
            Some(_) => HostFiles::NineP,
            None => HostFiles::Hostfs,
        }
    }

    /// The function that gives the path of the same guest's devices that are streams of the program.
    fn stream(self) -> fn(usize) -> String {
        match self {
            HostFiles::Hostfs => user_mode::stream,
            HostFiles::NineP => qemu::stream,
        }
    }
}

impl Guest {
    /// QEMU's arguments for the shares, as devices on this bus.
    pub fn qemu_arguments(&self, bus: Bus) -> Vec<OsString> {
        let root = Share {
            path: "/".into(),
            at: "/".into(),
            writable: false,
        };
        let shares = [root].into_iter().chain(self.shares.iter().cloned());
        let without = usize::from(self.packed.is_some());
        let arguments = shares
            .enumerate()
            .skip(without)
            .flat_map(|(number, share)| {
                qemu::share_arguments(&tag(number), &share.path, share.writable, bus)
            });
        let network = self.network.as_deref();
        let network = network.map(|forwards| network::arguments(bus, forwards));
        arguments.chain(network.into_iter().flatten()).collect()
    }

    /// The agent's steps.
    pub fn steps(&self, files: HostFiles) -> Steps {
        let mut steps = Steps::default();
        if self.packed.is_some() {
            // The initramfs is the root.
            let root = Path::new("/");
            self.mount_shares(&mut steps, files, root);
            mount_system(&mut steps, root, false);
            self.name_server(&mut steps, root);
            make_directories(&mut steps, root, &self.directory);
        } else {
            let root = Path::new("/root");
            mount_layers(&mut steps, files, root);
            self.mount_shares(&mut steps, files, root);
            mount_system(&mut steps, root, true);
            self.name_server(&mut steps, root);
            steps.root(root);
        }
        steps.loopback();
        if self.network.is_some() {
            steps.network("eth0", network::ADDRESS, network::GATEWAY);
        }
        steps.chdir(&self.directory);
        if let Some((user, group)) = self.user {
            steps.user(user, group);
        }
        if let Some((rows, columns)) = self.size {
            steps.terminal(rows, columns);
        }
        if self.is_init {
            let devices = devices::devices(self.terminals);
            steps.init(&devices::paths(&devices, files.stream()));
        }
        let environment = self.environment.iter().map(|(name, value)| {
            let mut variable = name.clone();
            variable.push("=");
            variable.push(value);
            variable
        });
        let environment: Vec<_> = environment.collect();
        steps.execute(&self.paths(), &self.command, &environment, self.terminals);
        steps
    }

    /// Without this, the guest would ask the name server of the host, which may listen on the host's loopback only.
    fn name_server(&self, steps: &mut Steps, root: &Path) {
        if self.network.is_some() {
            let file = root.join("etc/resolv.conf");
            make_directories(steps, root, &root.join("etc"));
            steps.write(&file, &format!("nameserver {}\n", network::NAME_SERVER));
        }
    }

    fn mount_shares(&self, steps: &mut Steps, files: HostFiles, root: &Path) {
        for (index, share) in self.shares.iter().enumerate() {
            let at = below(root, &share.at);
            make_directories(steps, root, &at);
            mount_share(steps, files, index + 1, &share.path, &at, share.writable);
        }
    }

    /// Where the program may be: a name without a slash is looked up in PATH, as execvp(3) does.
    fn paths(&self) -> Vec<OsString> {
        if let Some(path) = &self.packed {
            return vec![path.into()];
        }
        let name = &self.command[0];
        if name.as_encoded_bytes().contains(&b'/') {
            return vec![name.clone()];
        }
        let directories = std::env::split_paths(search_path(&self.environment));
        directories
            .map(|directory| directory.join(name).into())
            .collect()
    }
}

/// The directories in which a program is looked up, as in `PATH`.
pub fn search_path(environment: &[(OsString, OsString)]) -> &OsStr {
    let path = environment.iter().find(|(name, _)| name == "PATH");
    path.map_or("/usr/local/bin:/usr/bin:/bin".as_ref(), |(_, path)| path)
}

/// Makes the directory `path` below `root`, and those on the way to it.
fn make_directories(steps: &mut Steps, root: &Path, path: &Path) {
    // Without `.`, for which there is nothing to make.
    let path: PathBuf = path.components().collect();
    let parents: Vec<_> = path.ancestors().take_while(|path| *path != root).collect();
    parents.iter().rev().for_each(|path| steps.mkdir(path));
}

/// Mounts the host's files at `root`, below a layer in memory for what the guest writes.
fn mount_layers(steps: &mut Steps, files: HostFiles, root: &Path) {
    let none = MountFlags::empty();
    let (lower, layer) = (Path::new("/lower"), Path::new("/layer"));
    [lower, layer, root]
        .iter()
        .for_each(|path| steps.mkdir(path));
    steps.mount("layer", layer, "tmpfs", none, "size=75%,mode=755".as_ref());
    [layer.join("upper"), layer.join("work")]
        .iter()
        .for_each(|path| steps.mkdir(path));
    mount_share(steps, files, ROOT, Path::new("/"), lower, false);
    let data = "lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work,redirect_dir=on";
    steps.mount("root", root, "overlay", none, data.as_ref());
}

/// `path`, an absolute one, below another root.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn mount_share(
    steps: &mut Steps,
    files: HostFiles,
    number: usize,
    path: &Path,
    at: &Path,
    writable: bool,
) {
    let flags = if writable {
        MountFlags::empty()
    } else {
        MountFlags::RDONLY
    };
    match files {
        HostFiles::Hostfs => steps.mount("host", at, "hostfs", flags, path.as_os_str()),
        HostFiles::NineP => {
            // Read-only files can stay in the guest's cache: nobody asks the host for each block again.
            let cache = if writable { "mmap" } else { "loose" };
            // The layers ask for attributes of each file. Few files have any, and user-mode Linux passes none, either.
            let attributes = if number == ROOT { ",noxattr" } else { "" };
            let data =
                format!("trans=virtio,version=9p2000.L,msize=512000,cache={cache}{attributes}");
            steps.mount(&tag(number), at, "9p", flags, data.as_ref());
        }
    }
}

/// Mounts the guest's own file systems below `root`. The agent has mounted /dev below its own.
fn mount_system(steps: &mut Steps, root: &Path, with_dev: bool) {
    let safe = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let plain = MountFlags::NOSUID | MountFlags::NODEV;
    for (path, kind, flags, data) in [
        ("proc", "proc", safe, ""),
        ("sys", "sysfs", safe, ""),
        ("dev", "devtmpfs", MountFlags::NOSUID, "mode=755"),
        (
            "dev/pts",
            "devpts",
            MountFlags::NOSUID | MountFlags::NOEXEC,
            "mode=620,ptmxmode=666",
        ),
        ("dev/shm", "tmpfs", plain, "mode=1777"),
    ] {
        if kind == "devtmpfs" && !with_dev {
            continue;
        }
        let at = root.join(path);
        steps.mkdir(&at);
        steps.mount(kind, &at, kind, flags, OsStr::new(data));
    }
    for (target, name) in [
        ("/proc/self/fd", "fd"),
        ("/proc/self/fd/0", "stdin"),
        ("/proc/self/fd/1", "stdout"),
        ("/proc/self/fd/2", "stderr"),
    ] {
        steps.symlink(target, &root.join("dev").join(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str, path: Option<&str>) -> Guest {
        let path = path.map(|path| ("PATH".into(), path.into()));
        Guest {
            command: vec![name.into()],
            packed: None,
            environment: path.into_iter().collect(),
            directory: "/".into(),
            shares: vec![],
            network: None,
            is_init: false,
            user: None,
            terminals: [false; 3],
            size: None,
        }
    }

    #[test]
    fn a_name_is_looked_up_in_path() {
        for (name, path, paths) in [
            ("true", Some("/a:/b"), &["/a/true", "/b/true"][..]),
            ("./true", Some("/a"), &["./true"]),
            (
                "true",
                None,
                &["/usr/local/bin/true", "/usr/bin/true", "/bin/true"],
            ),
        ] {
            assert_eq!(guest(name, path).paths(), paths);
        }
    }

    #[test]
    fn qemu_offers_the_root_and_each_share() {
        let mut guest = guest("true", None);
        guest.shares.push(Share {
            path: "/a,b".into(),
            at: "/mnt".into(),
            writable: true,
        });
        let arguments = guest.qemu_arguments(Bus::Mmio);
        let words: Vec<_> = arguments
            .iter()
            .map(|word| word.to_str().unwrap())
            .collect();
        assert!(words[1].contains("readonly=on,path=/"), "{words:?}");
        assert!(words[5].ends_with("readonly=off,path=/a,,b"), "{words:?}");
        assert_eq!(words[7], "virtio-9p-device,fsdev=share1,mount_tag=share1");
    }

    #[test]
    fn the_streams_of_pid_1_are_devices() {
        let mut guest = guest("init", None);
        let has = |guest: &Guest, files, path: &str| {
            let steps = guest.steps(files);
            let mut windows = steps.bytes().windows(path.len());
            windows.any(|window| window == path.as_bytes())
        };
        for (files, stdout, stderr) in [
            (HostFiles::Hostfs, "/dev/tty2\0", "/dev/tty3\0"),
            (HostFiles::NineP, "/dev/hvc0\0", "/dev/hvc1\0"),
        ] {
            guest.is_init = false;
            assert!(!has(&guest, files, stdout));
            guest.is_init = true;
            assert!(has(&guest, files, stdout) && has(&guest, files, stderr));
            assert!(has(&guest, files, "/dev/null\0"));
            guest.terminals = [true; 3];
            assert!(has(&guest, files, stdout) && !has(&guest, files, stderr));
            guest.terminals = [false; 3];
        }
    }

    #[test]
    fn a_packed_guest_has_no_files_of_the_host_but_shares() {
        let mut guest = guest("true", Some("/a"));
        guest.packed = Some("/b/true".into());
        guest.directory = "/c/./d".into();
        let has = |guest: &Guest, files, text: &str| {
            let steps = guest.steps(files);
            let mut windows = steps.bytes().windows(text.len());
            windows.any(|window| window == text.as_bytes())
        };
        assert!(guest.qemu_arguments(Bus::Mmio).is_empty());
        assert_eq!(guest.paths(), ["/b/true"]);
        for (files, kind) in [(HostFiles::Hostfs, "hostfs"), (HostFiles::NineP, "9p")] {
            assert!(!has(&guest, files, kind));
            assert!(!has(&guest, files, "overlay"));
            // Only the agent has mounted it.
            assert!(!has(&guest, files, "devtmpfs"));
            assert!(has(&guest, files, "\0/c\0"));
            assert!(has(&guest, files, "\0/c/d\0"));
        }
        guest.shares.push(Share {
            path: "/e".into(),
            at: "/mnt".into(),
            writable: false,
        });
        assert!(has(&guest, HostFiles::Hostfs, "hostfs"));
        assert!(has(&guest, HostFiles::NineP, "share1"));
        let arguments = guest.qemu_arguments(Bus::Mmio);
        assert!(arguments[1].to_str().unwrap().contains("path=/e"));
        assert_eq!(arguments.len(), 4);
    }
}
