//! Kernel modules with the modules that they need, in the order in which to load them.
//!
//! | File | Use |
//! | --- | --- |
//! | `modules.dep` | which modules there are, and what each one needs |
//! | `modules.softdep` | modules to load before, if there are any: `pre:` |
//! | `modules.alias` | the modules of a name in `modules.softdep`, such as `crc32c` |
//! | `modules.builtin` | the modules that are part of the kernel, and need no file |
//!
//! depmod(8) and the kernel's build write them. Without modules.dep, the modules themselves tell what they need,
//! but not by aliases. In names of modules, `-` and `_` are the same.
//!
//! ```no_run
//! use packer::{Tree, kernel_modules};
//! use std::path::Path;
//!
//! let mut tree = Tree::new();
//! let modules = kernel_modules::closure(Path::new("/lib/modules/6.1.0-18-amd64"), &["virtio-net"])?;
//! modules.insert(&mut tree)?;
//! # Ok::<(), packer::Error>(())
//! ```

mod index;
mod modinfo;
mod unpack;

use crate::decompress::Format;
use crate::{Entry, Error, Kind, Tree};
use bstr::{BString, ByteSlice};
use index::{Index, normalized};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Kernel modules with everything that they need.
#[derive(Clone, Debug)]
pub struct Closure {
    /// In the order in which to load them.
    modules: Vec<Module>,
}

#[derive(Clone, Debug)]
struct Module {
    /// The file on this machine.
    source: PathBuf,
    /// Its path in the archive, which ends in `.ko`.
    path: BString,
    compression: Option<Format>,
}

impl Closure {
    /// The absolute paths in the archive, in the order in which to load the modules: a module comes after
    /// those that it needs. They end in `.ko`, and finit_module(2) of any kernel loads them. Empty if all
    /// modules are built into the kernel.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.modules
            .iter()
            .map(|module| Path::new(OsStr::from_bytes(&module.path)))
    }

    /// The files of the modules on this machine, in the same order.
    pub fn sources(&self) -> impl Iterator<Item = &Path> {
        self.modules.iter().map(|module| module.source.as_path())
    }

    /// Adds the modules to `tree`, decompressed and with mode 0644. If `tree` has a symbolic link on the way to
    /// them, such as `/lib` to `usr/lib`, they are added where it leads.
    ///
    /// # Errors
    /// If a module cannot be read or decompressed, and those of [`Tree::insert`].
    pub fn insert(&self, tree: &mut Tree) -> Result<(), Error> {
        for module in &self.modules {
            let source = module.source.clone();
            let kind = match module.compression {
                None => Kind::File { source },
                Some(format) => {
                    let bytes = unpack::unpack(&source, format)
                        .map_err(|error| Error::at(source, error))?;
                    Kind::Contents { bytes }
                }
            };
            let entry = Entry {
                mode: Some(0o644),
                ..Entry::new(kind)
            };
            tree.insert(tree.through_links(&module.path), entry)?;
        }
        Ok(())
    }
}

/// Finds the modules `names` and those that they need.
///
/// `dir` is `/lib/modules/VERSION`, wherever it may be, or a root directory with one `lib/modules/VERSION` or
/// `usr/lib/modules/VERSION`.
///
/// # Errors
/// If `dir` has no modules; if `modules.dep` is malformed; if a module does not exist, or must be read and cannot.
pub fn closure(dir: &Path, names: &[impl AsRef<str>]) -> Result<Closure, Error> {
    let dir = version_directory(dir)?;
    let real = fs::canonicalize(&dir).map_err(|error| Error::at(&dir, error))?;
    let version = real.file_name().unwrap_or_default().as_bytes();
    let index = Index::read(&dir)?;
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    for name in names {
        let name = normalized(name.as_ref().as_bytes());
        if index.needs_no_file(&name) {
            continue;
        }
        visit(&index, &name, &mut seen, &mut order)?;
    }
    let module = |path: &BString| {
        let (plain, compression) = unpack::split(path);
        Module {
            source: dir.join(OsStr::from_bytes(path)),
            path: [&b"/lib/modules/"[..], version, b"/", plain]
                .concat()
                .into(),
            compression,
        }
    };
    let modules = order.into_iter().map(module).collect();
    Ok(Closure { modules })
}

/// Adds the path of a module to `order`, after those of the modules that it needs.
fn visit<'a>(
    index: &'a Index,
    name: &BString,
    seen: &mut HashSet<BString>,
    order: &mut Vec<&'a BString>,
) -> Result<(), Error> {
    if !seen.insert(name.clone()) {
        return Ok(());
    }
    let (path, before) = index.module(name)?;
    for name in &before {
        visit(index, name, seen, order)?;
    }
    order.push(path);
    Ok(())
}

/// The directories of a root that have a directory for each kernel.
const IN_ROOT: [&str; 2] = ["lib/modules", "usr/lib/modules"];

/// `dir`, or its only directory `lib/modules/VERSION`.
fn version_directory(dir: &Path) -> Result<PathBuf, Error> {
    fs::read_dir(dir).map_err(|error| Error::at(dir, error))?;
    let modules = IN_ROOT.map(|modules| dir.join(modules));
    let Some(modules) = modules.iter().find(|modules| modules.exists()) else {
        return Ok(dir.to_owned());
    };
    let entries = fs::read_dir(modules).map_err(|error| Error::at(modules, error))?;
    let mut versions = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::at(modules, error))?.path();
        if path.is_dir() {
            versions.push(path);
        }
    }
    versions.sort();
    match &versions[..] {
        [version] => Ok(version.clone()),
        [] => Err(Error::at(
            modules,
            "has no modules of any kernel; name another directory with --modules",
        )),
        _ => {
            let names = versions.iter().filter_map(|path| path.file_name());
            let names: Vec<_> = names
                .map(|name| name.as_bytes().as_bstr().to_string())
                .collect();
            let reason = format!(
                "has the modules of several kernels; name the directory of one kernel with --modules: {}",
                names.join(", ")
            );
            Err(Error::at(modules, reason))
        }
    }
}
