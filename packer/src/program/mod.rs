//! The closure of programs: what they need to start, found by reading ELF files and the first lines of
//! scripts. No program is run.
//!
//! | Needed | Found |
//! | --- | --- |
//! | the ELF interpreter, which is the dynamic linker | `PT_INTERP` |
//! | the libraries, and theirs | `DT_NEEDED`, in the directories of ld.so(8): `DT_RPATH` and `DT_RUNPATH` with `$ORIGIN`, `$LIB` and `$PLATFORM`, `/etc/ld.so.conf`, the default directories of the interpreter |
//! | the interpreter of a script, and its closure | `#!` |
//! | the program that a script runs through env(1) | `PATH` |
//! | what leads to these files | symbolic links, such as `/lib` to `usr/lib`, stay symbolic links |
//!
//! Not found is what a program opens or starts when it runs: plugins, `dlopen`, locales, other programs. glibc
//! opens libraries for names of hosts and users (nsswitch.conf) and for character sets.
//!
//! With musl, its rules count: `/etc/ld-musl-ARCH.path`, and a `RUNPATH` also counts for the libraries of a
//! library.
//!
//! ```no_run
//! use packer::{Tree, program};
//! use std::ffi::OsStr;
//! use std::path::Path;
//!
//! let mut tree = Tree::new();
//! let programs = program::closure(Path::new("/"), OsStr::new("/bin"), &["sh".into()])?;
//! programs.insert(&mut tree)?;
//! # Ok::<(), packer::Error>(())
//! ```

mod cache;
mod conf;
pub(crate) mod directories;
pub(crate) mod elf;
pub(crate) mod interpreter;
mod load;
pub(crate) mod root;
pub(crate) mod script;

use crate::escape::{escape, escape_path};
use crate::{Entry, Error, Kind, Tree, paths};
use bstr::{BString, ByteSlice};
pub use elf::Architecture;
use elf::Elf;
use interpreter::{Interpreter, Libc};
use root::{Found, Root};
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How many scripts may interpret one another, as in exec_binprm() of the kernel's fs/exec.c.
pub(crate) const SCRIPTS_MAX: usize = 5;

/// Programs with everything that they need to start.
#[derive(Clone, Debug)]
pub struct Closure {
    programs: Vec<PathBuf>,
    /// The first ELF program and its architecture.
    first: Option<(PathBuf, Architecture)>,
    /// By absolute path.
    entries: BTreeMap<BString, Entry>,
}

impl Closure {
    /// The absolute path in the archive of each program, in the order in which the programs were named.
    pub fn programs(&self) -> &[PathBuf] {
        &self.programs
    }

    /// The architecture of all programs, and the absolute path of an ELF program with it.
    pub fn architecture(&self) -> Option<(&Path, Architecture)> {
        let (path, architecture) = self.first.as_ref()?;
        Some((path, *architecture))
    }

    /// Adds a file that a program opens, at its own path, with the symbolic links that lead to it. `root` is that
    /// of [`closure`], and `path` an absolute path below it.
    ///
    /// # Errors
    /// If it does not exist, or is not a regular file.
    pub fn add_file(&mut self, root: &Path, path: &Path) -> Result<(), Error> {
        let root = Root(root);
        let path = paths::absolute(path.as_os_str().as_bytes());
        let refuse = |reason: String| Err(Error::at(root.source(&path), reason));
        match root.find(&path) {
            Ok(found) if found.metadata.is_file() => self.entries.extend(found.passed),
            Ok(_) => return refuse("is not a regular file".into()),
            Err(error) => return refuse(format!("cannot be read: {error}")),
        }
        Ok(())
    }

    /// The absolute paths in the archive of all directories, files and symbolic links, sorted by their bytes.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.entries
            .keys()
            .map(|path| Path::new(OsStr::from_bytes(path)))
    }

    /// Adds everything to `tree`, at its own path. The permission bits are those of the files, and the owner is
    /// root. Directories have their usual mode.
    ///
    /// If a library is found only through `/etc/ld.so.conf`, there is also an `/etc/ld.so.cache` with these
    /// libraries: at run time, ld.so reads the cache and not the list.
    ///
    /// # Errors
    /// Those of [`Tree::insert`].
    pub fn insert(&self, tree: &mut Tree) -> Result<(), Error> {
        for (path, entry) in &self.entries {
            tree.insert(path, entry.clone())?;
        }
        Ok(())
    }
}

/// Finds what `programs` need to start.
///
/// `root` is the directory that is `/` for the programs: `/`, or a tree for the guest. A program without a `/` in
/// its name is looked up in the directories of `search_path`, which has the form of `PATH`. If `root` is `/`,
/// other relative paths begin at the working directory, otherwise at `root`.
///
/// # Errors
/// If a program is missing, is not executable, is neither an ELF program nor a script, or is for another
/// architecture than the first one; if an interpreter or a library is missing; if an ELF file is malformed.
pub fn closure(root: &Path, search_path: &OsStr, programs: &[PathBuf]) -> Result<Closure, Error> {
    let mut search = Search {
        root: Root(root),
        search_path,
        closure: Closure {
            programs: Vec::new(),
            first: None,
            entries: BTreeMap::new(),
        },
        elves: HashMap::new(),
        cached: BTreeMap::new(),
    };
    for program in programs {
        let path = search.locate(program)?;
        search.add(&path, None, 0)?;
        let path = OsString::from_vec(path.into());
        search.closure.programs.push(path.into());
    }
    search.write_caches()?;
    Ok(search.closure)
}

struct Search<'a> {
    root: Root<'a>,
    search_path: &'a OsStr,
    closure: Closure,
    /// The ELF files by their real paths.
    elves: HashMap<BString, Rc<Elf>>,
    /// By the path of an ld.so.cache, the paths of the libraries that it has to have, by their names.
    cached: BTreeMap<BString, BTreeMap<BString, BString>>,
}

impl Search<'_> {
    /// The absolute path of a program that the user named.
    fn locate(&self, program: &Path) -> Result<BString, Error> {
        let name = program.as_os_str().as_bytes();
        if name.is_empty() {
            return Err(Error::at(program, "is not the name of a program"));
        }
        if !name.contains(&b'/') {
            return self.in_search_path(name).ok_or_else(|| {
                let path = escape(self.search_path.as_bytes());
                let reason = format!(
                    "no program of this name is in PATH ({path}); name the program by its path, for example ./{}",
                    escape(name)
                );
                Error::at(program, reason)
            });
        }
        if self.root.0 != Path::new("/") {
            return Ok(paths::absolute(name));
        }
        let path = std::path::absolute(program).map_err(|error| Error::at(program, error))?;
        Ok(paths::absolute(path.as_os_str().as_bytes()))
    }

    /// The first executable file of this name in `PATH`.
    fn in_search_path(&self, name: &[u8]) -> Option<BString> {
        let directories = self.search_path.as_bytes().split_str(":");
        // A relative directory would mean another one in the guest.
        let directories = directories.filter(|directory| directory.starts_with(b"/"));
        let mut paths = directories.map(|directory| [directory, b"/", name].concat().into());
        paths.find(|path: &BString| self.root.find(path).is_ok_and(|found| is_program(&found)))
    }

    /// Adds a program. `script` is the one that it interprets, and `depth` the number of these scripts.
    fn add(&mut self, path: &BString, script: Option<&BString>, depth: usize) -> Result<(), Error> {
        let refuse = |this: &Self, reason: String| match script {
            None => Error::at(this.root.source(path), reason),
            Some(script) => {
                let reason = format!("needs the interpreter {}, which {reason}", escape(path));
                Error::at(this.root.source(script), reason)
            }
        };
        let found = match self.root.find(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(refuse(
                    self,
                    "does not exist; install it, or name another program".into(),
                ));
            }
            Err(error) => return Err(refuse(self, format!("cannot be read: {error}"))),
        };
        if !found.metadata.is_file() {
            return Err(refuse(self, "is not a regular file; name a program".into()));
        }
        if !is_program(&found) {
            return Err(refuse(
                self,
                "is not executable; make it executable with `chmod +x`".into(),
            ));
        }
        let head = head(&found.source)
            .map_err(|error| refuse(self, format!("cannot be read: {error}")))?;
        if let Some(shebang) = script::parse(&head) {
            if depth == SCRIPTS_MAX {
                let reason =
                    "is the sixth script in a chain of interpreters; the kernel follows at most five"
                        .into();
                return Err(refuse(self, reason));
            }
            self.take(&found);
            if shebang.interpreter.is_empty() || !shebang.interpreter.starts_with(b"/") {
                let reason = format!(
                    "is a script whose first line names `{}`, which is not the absolute path of an interpreter",
                    escape(shebang.interpreter)
                );
                return Err(refuse(self, reason));
            }
            self.add(&shebang.interpreter.to_owned(), Some(path), depth + 1)?;
            if let Some(name) = shebang.run_by_env() {
                let program = match name.contains(&b'/') {
                    true => Some(name.to_owned()),
                    false => self.in_search_path(name),
                };
                let program = program.ok_or_else(|| {
                    let (name, path) = (escape(name), escape(self.search_path.as_bytes()));
                    refuse(
                        self,
                        format!(
                            "is a script for {name}, which is not in PATH ({path}); install it"
                        ),
                    )
                })?;
                self.add(&program, Some(path), depth + 1)?;
            }
            return Ok(());
        }
        if !head.starts_with(b"\x7fELF") {
            let reason =
                "is neither an ELF program nor a script with `#!`; the kernel cannot run it".into();
            return Err(refuse(self, reason));
        }
        self.take(&found);
        self.add_elf(path, &found)
    }

    /// Adds the interpreter and the libraries of an ELF program.
    fn add_elf(&mut self, path: &BString, found: &Found) -> Result<(), Error> {
        let elf = self.elf(found)?;
        let refuse = |reason: String| Err(Error::at(&found.source, reason));
        if !elf.is_executable {
            return refuse(
                "is an ELF file, but not a program: it may be an object file or a core dump".into(),
            );
        }
        match &self.closure.first {
            None => {
                let path = OsString::from_vec(path.to_vec());
                self.closure.first = Some((path.into(), elf.architecture));
            }
            Some((_, architecture)) if *architecture == elf.architecture => {}
            Some((first, architecture)) => {
                return refuse(format!(
                    "is for {}, but {} is for {architecture}; pack only programs of one architecture",
                    elf.architecture,
                    escape_path(first)
                ));
            }
        }
        let Some(interpreter) = &elf.interpreter else {
            return match &elf.needed[..] {
                [] => Ok(()),
                [library, ..] => refuse(format!(
                    "needs the library {}, but names no ELF interpreter to load it; this may be a library, and not a program",
                    escape(library)
                )),
            };
        };
        let name = escape(interpreter);
        let linker = match self.root.find(interpreter) {
            Ok(found) if found.metadata.is_file() => found,
            Ok(_) => {
                return refuse(format!(
                    "needs the ELF interpreter {name}, which is not a file"
                ));
            }
            Err(error) => {
                return refuse(format!(
                    "needs the ELF interpreter {name}, which cannot be read: {error}; install the C library of \
                     the program"
                ));
            }
        };
        let linker_elf = self.elf(&linker)?;
        if linker_elf.architecture != elf.architecture {
            return refuse(format!(
                "is for {}, but its ELF interpreter {name} is for {}; install the C library of the program",
                elf.architecture, linker_elf.architecture
            ));
        }
        self.take(&linker);
        let interpreter = Interpreter::new(&self.root, interpreter, &linker, linker_elf)?;
        if let Libc::Musl {
            path_file: Some(file),
        } = &interpreter.libc
        {
            self.take(file);
        }
        load::libraries(self, &interpreter, found, Rc::clone(&elf))
    }

    /// Adds a file with what leads to it.
    fn take(&mut self, found: &Found) {
        self.closure.entries.extend(found.passed.iter().cloned());
    }

    fn elf(&mut self, found: &Found) -> Result<Rc<Elf>, Error> {
        if let Some(elf) = self.elves.get(&found.real) {
            return Ok(Rc::clone(elf));
        }
        let elf = elf::read(&found.source).map_err(|reason| Error::at(&found.source, reason))?;
        let elf = Rc::new(elf);
        self.elves.insert(found.real.clone(), Rc::clone(&elf));
        Ok(elf)
    }

    fn write_caches(&mut self) -> Result<(), Error> {
        for (path, libraries) in std::mem::take(&mut self.cached) {
            let first = self.closure.first.as_ref();
            let (_, architecture) = first.expect("a program needs the libraries");
            let bytes = cache::write(*architecture, &libraries)
                .map_err(|reason| Error::entry(&path, reason))?;
            let directory = self.root.find(root::parent(&path));
            let directory = directory.map_err(|error| Error::entry(&path, error))?;
            self.take(&directory);
            let path = [&directory.real, &b"/"[..], root::file_name(&path)].concat();
            let entry = Entry::new(Kind::Contents { bytes });
            self.closure.entries.insert(path.into(), entry);
        }
        Ok(())
    }
}

fn is_program(found: &Found) -> bool {
    found.metadata.is_file() && found.metadata.permissions().mode() & 0o111 != 0
}

/// Whether `path` is a program for [`closure`]: an executable file that is a script, or an ELF file and no library.
///
/// # Errors
/// If the file cannot be read.
pub fn is_startable(path: &Path) -> io::Result<bool> {
    let metadata = path.metadata()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Ok(false);
    }
    let is_program =
        |elf: Elf| elf.is_executable && (elf.interpreter.is_some() || elf.needed.is_empty());
    Ok(script::parse(&head(path)?).is_some() || elf::read(path).is_ok_and(is_program))
}

/// The first bytes of a file.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?
        .take(script::HEAD as u64)
        .read_to_end(&mut head)?;
    Ok(head)
}
