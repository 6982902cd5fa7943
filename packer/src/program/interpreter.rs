//! The directories in which an ELF interpreter looks for libraries: those of the system, which no program
//! chooses.

use super::conf;
use super::elf::Elf;
use super::root::{Found, Root, file_name, parent};
use crate::Error;
use bstr::{BString, ByteSlice};
use object::elf::{EM_386, EM_AARCH64, EM_ARM, EM_X86_64, Machine};
use std::fs;
use std::rc::Rc;

/// An ELF interpreter, which is the dynamic linker: ld.so(8).
pub(super) struct Interpreter {
    /// As the program names it.
    pub path: BString,
    pub elf: Rc<Elf>,
    pub libc: Libc,
    /// `$LIB`.
    pub lib: BString,
    /// `$PLATFORM`.
    pub platform: &'static str,
    /// The directories that /etc/ld.so.conf adds. The interpreter knows them from the cache only.
    pub configured: Vec<BString>,
    /// The directories in which the interpreter always looks.
    pub defaults: Vec<BString>,
}

/// The C library that the interpreter belongs to.
pub(super) enum Libc {
    Glibc {
        /// The cache of ldconfig(8), which the interpreter reads.
        cache: BString,
    },
    Musl {
        /// The file with the default directories, if there is one. The interpreter reads it.
        path_file: Option<Box<Found>>,
    },
}

impl Interpreter {
    /// `path` is the `PT_INTERP` of a program, and leads to `found`.
    pub fn new(root: &Root, path: &[u8], found: &Found, elf: Rc<Elf>) -> Result<Self, Error> {
        let mut interpreter = Self {
            path: path.into(),
            lib: lib(parent(&found.real)),
            platform: platform(elf.architecture.machine),
            elf,
            libc: Libc::Musl { path_file: None },
            configured: Vec::new(),
            defaults: Vec::new(),
        };
        let musl = file_name(path).strip_prefix(b"ld-musl-");
        if let Some(architecture) = musl.and_then(|rest| rest.strip_suffix(b".so.1")) {
            interpreter.read_musl(root, architecture)?;
        } else {
            interpreter.read_glibc(root, found)?;
        }
        Ok(interpreter)
    }

    /// As musl's ldso/dynlink.c.
    fn read_musl(&mut self, root: &Root, architecture: &[u8]) -> Result<(), Error> {
        let prefix = parent(parent(&self.path)).trim_end_with(|c| c == '/');
        let file = [prefix, b"/etc/ld-musl-", architecture, b".path"].concat();
        let at = |error| Error::at(root.source(&file), error);
        let path_file = root.find_if_exists(&file).map_err(at)?;
        let text = match &path_file {
            Some(found) => fs::read(&found.source).map_err(at)?,
            None => b"/lib:/usr/local/lib:/usr/lib".to_vec(),
        };
        let directories = text.split(|byte| matches!(byte, b':' | b'\n'));
        let directories = directories.filter(|directory| directory.starts_with(b"/"));
        self.defaults = directories.map(BString::from).collect();
        let path_file = path_file.map(Box::new);
        self.libc = Libc::Musl { path_file };
        Ok(())
    }

    /// Distributions build the directories into ld.so, and Nix those of the store, so they are read from it.
    fn read_glibc(&mut self, root: &Root, found: &Found) -> Result<(), Error> {
        let bytes = fs::read(&found.source).map_err(|error| Error::at(&found.source, error))?;
        let strings = || bytes.split_str("\0");
        let cache = strings().find(|text| text.starts_with(b"/") && text.ends_with(CACHE));
        let cache = BString::from(cache.unwrap_or(CACHE));
        self.defaults = built_in(strings());
        // ld.so itself is in one of them. Only an unknown ld.so needs this guess.
        for guess in [parent(&found.real), b"/lib", b"/usr/lib"] {
            if self.defaults.len() < 2 && !self.defaults.iter().any(|known| known == guess) {
                self.defaults.push(guess.into());
            }
        }
        let conf = cache.strip_suffix(b"cache").unwrap_or(&cache);
        self.configured = conf::directories(root, &[conf, b"conf"].concat())?;
        self.libc = Libc::Glibc { cache };
        Ok(())
    }
}

const CACHE: &[u8] = b"/etc/ld.so.cache";

/// `system_dirs` of glibc's elf/dl-load.c: consecutive strings, each a directory with a `/` at its end.
fn built_in<'a>(strings: impl Iterator<Item = &'a [u8]>) -> Vec<BString> {
    let is_directory = |text: &[u8]| {
        text.len() > 2
            && text.starts_with(b"/")
            && text.ends_with(b"/")
            && text.iter().all(u8::is_ascii_graphic)
    };
    let (mut longest, mut run) = (Vec::new(), Vec::new());
    for text in strings {
        if is_directory(text) {
            run.push(BString::from(text.trim_end_with(|c| c == '/')));
            continue;
        }
        if run.len() > longest.len() {
            longest = run.clone();
        }
        run.clear();
    }
    longest
}

/// The name that a distribution gives to the directory of its libraries, `lib64` for example, or
/// `lib/x86_64-linux-gnu` on Debian.
fn lib(directory: &[u8]) -> BString {
    let name = file_name(directory);
    match file_name(parent(directory)) {
        b"lib" => [b"lib/", name].concat().into(),
        _ => name.into(),
    }
}

/// `AT_PLATFORM` of getauxval(3).
fn platform(machine: u16) -> &'static str {
    match Machine(machine) {
        EM_X86_64 => "x86_64",
        EM_386 => "i686",
        EM_AARCH64 => "aarch64",
        EM_ARM => "v7l",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_run_of_directories() {
        let bytes = b"a/\0/dev/\0x\0/lib/x86_64-linux-gnu/\0/lib/\0\0/usr/lib/\0";
        assert_eq!(
            built_in(bytes.split_str("\0")),
            ["/lib/x86_64-linux-gnu", "/lib"]
        );
        assert_eq!(built_in(b"/\0//\0/a b/\0".split_str("\0")), [] as [&str; 0]);
    }

    #[test]
    fn the_lib_of_distributions() {
        for (directory, expected) in [
            ("/usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"),
            ("/usr/lib64", "lib64"),
            ("/lib", "lib"),
            ("/nix/store/x-glibc/lib", "lib"),
        ] {
            assert_eq!(lib(directory.as_bytes()), expected);
        }
    }
}
