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
pub(crate) struct Interpreter {
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
pub(crate) enum Libc {
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
        let system = match musl_path_file(path) {
            Some(file) => {
                let at = |error| Error::at(root.source(&file), error);
                let path_file = root.find_if_exists(&file).map_err(at)?;
                let text = path_file.as_ref().map(|found| fs::read(&found.source));
                System::of_musl(text.transpose().map_err(at)?.as_deref(), path_file)
            }
            None => {
                let bytes = fs::read(&found.source);
                System::of_glibc(&bytes.map_err(|error| Error::at(&found.source, error))?)
            }
        };
        let mut interpreter = Self::of_system(path, &found.real, elf, system);
        if let Libc::Glibc { cache } = &interpreter.libc {
            let conf = cache.strip_suffix(b"cache").unwrap_or(cache);
            interpreter.configured = conf::directories(root, &[conf, b"conf"].concat())?;
        }
        Ok(interpreter)
    }

    /// As [`new`](Self::new), for an interpreter at the path `real` whose system is known.
    pub fn of_system(path: &[u8], real: &[u8], elf: Rc<Elf>, system: System) -> Self {
        let System { libc, mut defaults } = system;
        if let Libc::Glibc { .. } = libc {
            // ld.so itself is in one of them. Only an unknown ld.so needs this guess.
            for guess in [parent(real), b"/lib", b"/usr/lib"] {
                if defaults.len() < 2 && !defaults.iter().any(|known| known == guess) {
                    defaults.push(guess.into());
                }
            }
        }
        Self {
            path: path.into(),
            lib: lib(parent(real)),
            platform: platform(elf.architecture.machine),
            elf,
            libc,
            configured: Vec::new(),
            defaults,
        }
    }
}

/// What an interpreter knows of the system that it was built for.
pub(crate) struct System {
    pub libc: Libc,
    /// [`Interpreter::defaults`].
    pub defaults: Vec<BString>,
}

impl System {
    /// As musl's ldso/dynlink.c. `text` is that of the [`musl_path_file`], which is at `path_file`.
    pub fn of_musl(text: Option<&[u8]>, path_file: Option<Found>) -> Self {
        let text = text.unwrap_or(b"/lib:/usr/local/lib:/usr/lib");
        let directories = text.split(|byte| matches!(byte, b':' | b'\n'));
        let directories = directories.filter(|directory| directory.starts_with(b"/"));
        Self {
            defaults: directories.map(BString::from).collect(),
            libc: Libc::Musl {
                path_file: path_file.map(Box::new),
            },
        }
    }

    /// Distributions build the directories into ld.so, and Nix those of the store, so they are read from it.
    pub fn of_glibc(interpreter: &[u8]) -> Self {
        let strings = || interpreter.split_str("\0");
        let cache = strings().find(|text| text.starts_with(b"/") && text.ends_with(CACHE));
        Self {
            libc: Libc::Glibc {
                cache: BString::from(cache.unwrap_or(CACHE)),
            },
            defaults: built_in(strings()),
        }
    }
}

/// The file with the default directories that musl's interpreter reads, or `None` if `path` is not musl's.
pub(crate) fn musl_path_file(path: &[u8]) -> Option<BString> {
    let architecture = file_name(path).strip_prefix(b"ld-musl-")?;
    let architecture = architecture.strip_suffix(b".so.1")?;
    let prefix = parent(parent(path)).trim_end_with(|c| c == '/');
    Some(
        [prefix, b"/etc/ld-musl-", architecture, b".path"]
            .concat()
            .into(),
    )
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
