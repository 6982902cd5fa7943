//! Finds what programs need: `packer::program`, and `packer create --program`.

mod elf;
mod libraries;
mod malformed;
mod paths;
mod real;
mod scripts;

use elf::Elf;
use packer::program;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A root directory with an ELF interpreter, /lib/ld.so.
struct Root(TempDir);

impl Root {
    fn new() -> Self {
        let root = Self(TempDir::new().unwrap());
        root.elf("/lib/ld.so", &Elf::library().soname("ld-linux.so"));
        root
    }

    /// Where a path of the root is on this machine.
    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    /// Makes a file, and the directories on the way to it.
    fn file(&self, path: &str, contents: &[u8], mode: u32) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn elf(&self, path: &str, elf: &Elf) {
        self.file(path, &elf.bytes(), 0o755);
    }

    fn link(&self, path: &str, target: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn closure(&self, programs: &[&str]) -> Result<program::Closure, String> {
        let programs: Vec<_> = programs.iter().map(PathBuf::from).collect();
        let closure = program::closure(self.0.path(), "/bin:/usr/bin".as_ref(), &programs);
        closure.map_err(|error| {
            let root = self.0.path().to_str().unwrap();
            error.to_string().replace(root, "ROOT")
        })
    }

    /// The paths of the closure that are no directories, without the ELF interpreter.
    fn files(&self, programs: &[&str]) -> Vec<String> {
        let closure = self.closure(programs).unwrap();
        let is_file = |path: &&Path| !self.path(path.to_str().unwrap()).is_dir();
        let files = closure
            .paths()
            .filter(is_file)
            .map(|path| path.to_str().unwrap().to_owned());
        files.filter(|path| path != "/lib/ld.so").collect()
    }

    fn error(&self, programs: &[&str]) -> String {
        self.closure(programs).unwrap_err()
    }
}
