//! The files of a guest that shares nothing with the host: the program with what it needs.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use packer::program::{self, Closure};
use packer::{Entry, Kind, Tree};

use crate::machine::target::Target;

/// What to pack.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The program's name.
    pub program: &'a OsStr,
    /// The value of `PATH` in which it is looked up.
    pub search_path: &'a OsStr,
    /// More files and programs, each for its own path.
    pub files: &'a [PathBuf],
}

/// Whether a program can be started. If it has several places, the greatest of their values counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// There is no such file.
    Missing,
    /// It is no file that the kernel executes.
    NotExecutable,
    /// Nothing is wrong with the file itself.
    Executable,
}

/// The agent's files in the guest.
const AGENTS: &[&str] = &["/init", "/modules"];

/// The directories at which the guest mounts its own file systems.
const OWN_MOUNTS: &[&str] = &["/dev", "/proc", "/sys"];

/// The kernel's option for a packed guest. By default, its root may be a tmpfs, which has half of the memory: the kernel
/// would cut off files without a word. With this one, it panics if the memory does not suffice.
pub const KERNEL_OPTION: &str = "rootfstype=ramfs";

/// Adds `contents` to `tree`, for a guest of `target`. Gives the program's absolute path.
///
/// # Errors
/// Those of [`program::closure`]. Also if the program is for another target, or if a file has a path of the guest's
/// own.
pub fn insert(contents: &Contents, target: &Target, tree: &mut Tree) -> Result<PathBuf> {
    let root = Path::new("/");
    let mut programs = vec![PathBuf::from(contents.program)];
    let mut files = Vec::new();
    for file in contents.files {
        // Not resolved: a program opens it by this path.
        let file = std::path::absolute(file)
            .with_context(|| format!("{}: cannot be packed", file.display()))?;
        let shown = file.display();
        match program::is_startable(&file) {
            Ok(true) => programs.push(file),
            Ok(false) if file.is_dir() => {
                bail!(
                    "--file {shown}: this is a directory; name its files, or share it with --share"
                )
            }
            Ok(false) => files.push(file),
            Err(error) => bail!("--file {shown}: {error}; name a file of this machine"),
        }
    }
    let mut closure = program::closure(root, contents.search_path, &programs)?;
    for file in &files {
        closure.add_file(root, file)?;
    }
    check(&closure, target)?;
    closure.insert(tree)?;
    let everybodys = Entry {
        mode: Some(0o1777),
        ..Entry::new(Kind::Directory)
    };
    tree.insert("/tmp", everybodys)?;
    Ok(closure.programs()[0].clone())
}

/// Fails if a guest of `target` cannot have these programs at their paths.
fn check(closure: &Closure, target: &Target) -> Result<()> {
    if let Some((program, architecture)) = closure.architecture() {
        let is_targets = architecture.machine == target.elf_machines[0].0
            && architecture.is_64
            && !architecture.is_big_endian;
        if !is_targets {
            bail!(
                "{}: is for {architecture}, and the target is {}; name another target with --target, or another \
                 program",
                program.display(),
                target.name
            );
        }
    }
    for path in closure.paths() {
        let is_below = |mount: &&&str| path.starts_with(mount) && path != Path::new(mount);
        let mut agents = AGENTS.iter();
        let agents = agents.find(|agents| path == Path::new(agents));
        if let Some(own) = agents.or(OWN_MOUNTS.iter().find(is_below)) {
            bail!(
                "{}: cannot be packed, because the guest has its own {own}; copy it to another path",
                path.display()
            );
        }
    }
    Ok(())
}

/// Whether the program itself, looked up as [`program::closure`] does, can be started.
pub fn state(program: &OsStr, search_path: &OsStr) -> State {
    let places: Vec<PathBuf> = match program.as_encoded_bytes().contains(&b'/') {
        true => vec![program.into()],
        false => std::env::split_paths(search_path)
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(program))
            .collect(),
    };
    let states = places
        .iter()
        .map(|place| match program::is_startable(place) {
            Ok(true) => State::Executable,
            Ok(false) => State::NotExecutable,
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => State::Missing,
                _ => State::NotExecutable,
            },
        });
    states.max().unwrap_or(State::Missing)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::slice::from_ref;

    use object::elf::{EM_AARCH64, EM_X86_64, Machine};
    use packer::Manifest;
    use tempfile::TempDir;

    use super::*;
    use crate::program::image::Image;

    /// A directory with an agent's image of five bytes.
    struct Host(TempDir);

    impl Host {
        fn new() -> Host {
            let host = Host(TempDir::new().unwrap());
            host.file("initramfs", b"agent", 0o644);
            host
        }

        fn file(&self, name: &str, contents: &[u8], mode: u32) -> PathBuf {
            let path = self.0.path().join(name);
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path
        }

        /// A program that needs no other file.
        fn program(&self, name: &str, machine: Machine) -> PathBuf {
            let mut header = [0; 64];
            header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
            header[16] = 2;
            header[18..20].copy_from_slice(&machine.0.to_le_bytes());
            header[20] = 1;
            header[52] = 64;
            self.file(name, &header, 0o755)
        }

        /// The program's path, and the initramfs.
        fn pack(
            &self,
            program: &OsStr,
            files: &[PathBuf],
            target: &str,
        ) -> Result<(PathBuf, Image)> {
            let contents = Contents {
                program,
                search_path: self.0.path().as_os_str(),
                files,
            };
            let target = Target::named(target).unwrap();
            let mut tree = Tree::new();
            let program = insert(&contents, target, &mut tree)?;
            Ok((
                program,
                Image::new(&self.0.path().join("initramfs"), &tree)?,
            ))
        }

        /// Why nothing is packed, with HOST in place of the directory.
        fn error(&self, program: &Path, files: &[PathBuf], target: &str) -> String {
            let error = self.pack(program.as_ref(), files, target).unwrap_err();
            let host = self.0.path().to_str().unwrap();
            format!("{error:#}").replace(host, "HOST")
        }
    }

    fn bytes((_, image): &(PathBuf, Image)) -> Vec<u8> {
        fs::read(image.path()).unwrap()
    }

    #[test]
    fn the_image_has_the_agent_and_then_the_files() {
        let host = Host::new();
        let program = host.program("program", EM_X86_64);
        let line = format!("#!{}\n", program.display());
        let script = host.file("script", line.as_bytes(), 0o755);
        let data = host.file("data", b"data", 0o644);
        let pack = |files: &[PathBuf]| host.pack("program".as_ref(), files, "um").unwrap();
        let packed = pack(&[script.clone(), data.clone()]);
        assert_eq!(packed.0, program);
        let image = bytes(&packed);
        assert_eq!(&image[..14], b"agent\0\0\x00070701");
        assert_eq!(
            image,
            bytes(&pack(&[data.clone(), script.clone(), data.clone()]))
        );
        assert_ne!(image, bytes(&pack(from_ref(&data))));

        let manifest = Manifest::of_image(&image[8..]).unwrap();
        let mode = |path: &Path| {
            let path = path.as_os_str().as_encoded_bytes();
            let entry = manifest.entries.iter().find(|entry| entry.path == path);
            entry.map(|entry| entry.mode)
        };
        assert_eq!(mode(&program), Some(0o755));
        assert_eq!(mode(&script), Some(0o755));
        assert_eq!(mode(&data), Some(0o644));
        assert_eq!(mode(Path::new("/tmp")), Some(0o1777));
        assert_eq!(mode(&host.0.path().join("initramfs")), None);
    }

    #[test]
    fn what_cannot_be_packed_is_reported() {
        let host = Host::new();
        let program = host.program("program", EM_X86_64);
        let other = host.program("other", EM_AARCH64);
        let script = host.file("script", b"#!/none/sh\n", 0o755);
        for (program, files, target, error) in [
            (
                &other,
                &[][..],
                "um",
                "HOST/other: is for aarch64 with 64 bits, and the target is um; name another target with --target, \
                 or another program",
            ),
            (
                &program,
                &[],
                "riscv64",
                "HOST/program: is for x86_64 with 64 bits, and the target is riscv64; name another target with \
                 --target, or another program",
            ),
            (
                &program,
                from_ref(&other),
                "um",
                "HOST/other: is for aarch64 with 64 bits, but HOST/program is for x86_64 with 64 bits; pack only \
                 programs of one architecture",
            ),
            (
                &script,
                &[],
                "um",
                "HOST/script: needs the interpreter /none/sh, which does not exist; install it, or name another program",
            ),
            (
                &program,
                &["/none".into()],
                "um",
                "--file /none: No such file or directory (os error 2); name a file of this machine",
            ),
            (
                &program,
                &["/proc".into()],
                "um",
                "--file /proc: this is a directory; name its files, or share it with --share",
            ),
            (
                &program,
                &["/proc/version".into()],
                "um",
                "/proc/version: cannot be packed, because the guest has its own /proc; copy it to another path",
            ),
        ] {
            assert_eq!(host.error(program, files, target), error);
        }
        assert!(host.pack(other.as_os_str(), &[], "aarch64").is_ok());
    }

    #[test]
    fn the_state_of_a_program_is_that_of_its_best_place() {
        let host = Host::new();
        host.program("program", EM_X86_64);
        host.file("text", b"text", 0o755);
        let state = |program: &str, before: &str| {
            let path = [Path::new(before), host.0.path()];
            let path = std::env::join_paths(path).unwrap();
            super::state(program.as_ref(), &path)
        };
        assert_eq!(state("program", "/none"), State::Executable);
        assert_eq!(state("text", "/none"), State::NotExecutable);
        assert_eq!(state("other", "/none"), State::Missing);
        assert_eq!(state("/proc", "/none"), State::NotExecutable);
        assert_eq!(state("/none/program", "/none"), State::Missing);
        assert_eq!(state("/proc/version/program", "/none"), State::Missing);
    }
}
