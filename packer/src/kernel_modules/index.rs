//! The files of depmod(8) and of the kernel's build, which tell what modules there are.

use super::{modinfo, unpack};
use crate::Error;
use crate::escape::escape;
use bstr::{BString, ByteSlice};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The file that depmod writes the needs of all modules to.
const DEP: &str = "modules.dep";

/// The directory of the modules that come with the kernel.
const KERNEL: &str = "kernel";

/// How many names an error suggests.
const SUGGESTIONS: usize = 3;

/// The modules of a kernel. Names have `_` in place of `-`.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The directory of the modules.
    dir: PathBuf,
    /// The file or the directory that lists them.
    list: PathBuf,
    modules: BTreeMap<BString, Module>,
    built_in: BTreeSet<BString>,
    /// Names of modules or aliases, by the name of the module to load after them.
    before: HashMap<BString, Vec<BString>>,
    aliases: HashMap<BString, Vec<BString>>,
}

#[derive(Debug, PartialEq)]
struct Module {
    /// Below the directory of the modules.
    path: BString,
    /// The names of what it needs, unless only its file tells.
    needs: Option<Vec<BString>>,
}

impl Index {
    /// Reads the files in `dir`. None of them must be there: a package that is not installed has no modules.dep,
    /// because depmod runs when it is.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let dep = dir.join(DEP);
        let mut index = Self {
            dir: dir.into(),
            ..Self::default()
        };
        if let Some(text) = read(&dep)? {
            for (number, line) in text.lines().enumerate() {
                index
                    .add_dependencies(line)
                    .map_err(|reason| Error::at_line(&dep, number + 1, reason))?;
            }
            index.list = dep;
        } else {
            index.list = dir.join(KERNEL);
            if !index.list.is_dir() {
                let reason = "has no kernel modules; name another directory with --modules: /lib/modules/VERSION, or \
                              a root directory that has one";
                return Err(Error::at(dir, reason));
            }
            index.add_files(&dir.join(KERNEL))?;
        }
        let optional = |name: &str| read(&dir.join(name)).map(Option::unwrap_or_default);
        for line in optional("modules.builtin")?.lines() {
            index.built_in.insert(module_name(line));
        }
        for line in optional("modules.softdep")?.lines() {
            index.add_soft_dependencies(line);
        }
        for line in optional("modules.alias")?.lines() {
            if let [b"alias", alias, name] = words(line).collect::<Vec<_>>()[..] {
                let names = index.aliases.entry(normalized(alias)).or_default();
                names.push(normalized(name));
            }
        }
        Ok(index)
    }

    /// `PATH: PATH...`
    fn add_dependencies(&mut self, line: &[u8]) -> Result<(), &'static str> {
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let (path, needs) = line
            .split_once_str(":")
            .ok_or("the line has no `:`, so depmod(8) did not write it; run depmod(8) again")?;
        let module = Module {
            path: path.into(),
            needs: Some(words(needs).map(module_name).collect()),
        };
        self.modules.insert(module_name(path), module);
        Ok(())
    }

    /// The modules in `directory`, a directory below [`dir`](Self::dir), and below it.
    fn add_files(&mut self, directory: &Path) -> Result<(), Error> {
        let failed = |error| Error::at(directory, error);
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let file_type = entry.file_type().map_err(failed)?;
            if file_type.is_dir() {
                self.add_files(&path)?;
            }
            let path = path.strip_prefix(&self.dir).unwrap_or(&path);
            let path = path.as_os_str().as_bytes();
            if file_type.is_file() && unpack::split(path).0.ends_with(b".ko") {
                let module = Module {
                    path: path.into(),
                    needs: None,
                };
                self.modules.insert(module_name(path), module);
            }
        }
        Ok(())
    }

    /// `softdep NAME pre: NAME... post: NAME...`
    fn add_soft_dependencies(&mut self, line: &[u8]) {
        let mut words = words(line);
        let (Some(b"softdep"), Some(name)) = (words.next(), words.next()) else {
            return;
        };
        let before = self.before.entry(normalized(name)).or_default();
        before.extend(soft_dependencies(words));
    }

    /// Whether the module is part of the kernel.
    pub fn needs_no_file(&self, name: &BString) -> bool {
        self.built_in.contains(name) && !self.modules.contains_key(name)
    }

    /// The path of a module below the directory, and the modules to load before it.
    ///
    /// # Errors
    /// If there is no such module; the text names similar ones. If its file must be read and cannot.
    pub fn module(&self, name: &BString) -> Result<(&BString, Vec<BString>), Error> {
        let module = self.modules.get(name).ok_or_else(|| self.unknown(name))?;
        let (soft, needs) = match &module.needs {
            Some(needs) => {
                let before = self.before.get(name).cloned();
                (before.unwrap_or_default(), needs.clone())
            }
            None => {
                let path = self.dir.join(OsStr::from_bytes(&module.path));
                let fields = modinfo::read(&path).map_err(|error| Error::at(path, error))?;
                let softdeps = fields.softdeps.iter();
                let before = softdeps.flat_map(|names| soft_dependencies(words(names)));
                let needs = fields
                    .depends
                    .split_str(",")
                    .filter(|name| !name.is_empty());
                (before.collect(), needs.map(normalized).collect())
            }
        };
        // Of what modules.dep names, the last one is the first to be loaded.
        let before = self.known(&soft).cloned().chain(needs.into_iter().rev());
        Ok((&module.path, before.collect()))
    }

    fn unknown(&self, name: &BString) -> Error {
        let similar: Vec<_> = self
            .similar(name)
            .map(|name| escape(name).to_string())
            .collect();
        let cure = match similar.is_empty() {
            true => "look for its name there, or name another directory with --modules".into(),
            false => format!("similar names: {}", similar.join(", ")),
        };
        let reason = format!("has no kernel module {}; {cure}", escape(name));
        Error::at(&self.list, reason)
    }

    /// Those of the modules or aliases `names` that exist. modprobe(8) ignores the others, too.
    fn known<'a>(&'a self, names: &'a [BString]) -> impl Iterator<Item = &'a BString> {
        let modules = names.iter().flat_map(|name| match self.aliases.get(name) {
            Some(modules) if !self.modules.contains_key(name) => &modules[..],
            _ => std::slice::from_ref(name),
        });
        modules.filter(|name| self.modules.contains_key(*name))
    }

    fn similar(&self, name: &BString) -> impl Iterator<Item = &BString> {
        let name = name.to_str_lossy();
        let similar = self
            .modules
            .keys()
            .chain(&self.built_in)
            .filter_map(|known| {
                let text = known.to_str_lossy();
                let distance = strsim::damerau_levenshtein(&name, &text);
                let is_part = name.len() > 2 && text.contains(&*name);
                (is_part || distance <= 1 + name.len() / 5).then_some((distance, known))
            });
        let similar: BTreeSet<_> = similar.collect();
        similar.into_iter().map(|(_, name)| name).take(SUGGESTIONS)
    }
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some).map_err(|error| Error::at(file, error)),
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.fields_with(char::is_whitespace)
}

/// The names behind `pre:` in `pre: NAME... post: NAME...`.
fn soft_dependencies<'a>(words: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = BString> {
    let mut is_before = false;
    let before = words.filter(move |word| {
        match *word {
            b"pre:" => is_before = true,
            b"post:" => is_before = false,
            _ => return is_before,
        }
        false
    });
    before.map(normalized)
}

/// The name of the module in a file: `virtio_net` for `kernel/drivers/net/virtio-net.ko.xz`.
fn module_name(path: &[u8]) -> BString {
    let name = path.rsplit_str("/").next().unwrap_or_default();
    let end = name.find(".ko").unwrap_or(name.len());
    normalized(&name[..end])
}

/// A name with `_` in place of `-`.
pub(super) fn normalized(name: &[u8]) -> BString {
    name.replace("-", "_").into()
}
