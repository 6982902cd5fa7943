//! The files of depmod(8) and of the kernel's build, which tell what modules there are.

use crate::Error;
use crate::escape::escape;
use bstr::{BString, ByteSlice};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::Path;

/// The file that depmod writes the needs of all modules to.
pub(super) const DEP: &str = "modules.dep";

/// How many names an error suggests.
const SUGGESTIONS: usize = 3;

/// The modules of a kernel. Names have `_` in place of `-`.
#[derive(Debug, Default)]
pub(super) struct Index {
    modules: BTreeMap<BString, Module>,
    built_in: BTreeSet<BString>,
    /// Names of modules or aliases, by the name of the module to load after them.
    before: HashMap<BString, Vec<BString>>,
    aliases: HashMap<BString, Vec<BString>>,
}

/// A line of modules.dep.
#[derive(Debug, PartialEq)]
pub(super) struct Module {
    /// Below the directory of the modules.
    pub path: BString,
    /// The names of what it needs.
    pub needs: Vec<BString>,
}

impl Index {
    /// Reads the files in `dir`. Only modules.dep must be there.
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let dep = dir.join(DEP);
        let text = read(&dep)?.ok_or_else(|| {
            let reason = "does not exist; run depmod(8) for these modules, or name another directory with \
                          --modules: /lib/modules/VERSION, or a root directory that has one";
            Error::at(&dep, reason)
        })?;
        let mut index = Self::default();
        for (number, line) in text.lines().enumerate() {
            index
                .add_dependencies(line)
                .map_err(|reason| Error::at_line(&dep, number + 1, reason))?;
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
            needs: words(needs).map(module_name).collect(),
        };
        self.modules.insert(module_name(path), module);
        Ok(())
    }

    /// `softdep NAME pre: NAME... post: NAME...`
    fn add_soft_dependencies(&mut self, line: &[u8]) {
        let mut words = words(line);
        let (Some(b"softdep"), Some(name)) = (words.next(), words.next()) else {
            return;
        };
        let before = self.before.entry(normalized(name)).or_default();
        let mut is_before = false;
        for word in words {
            match word {
                b"pre:" => is_before = true,
                b"post:" => is_before = false,
                _ if is_before => before.push(normalized(word)),
                _ => {}
            }
        }
    }

    /// Whether the module is part of the kernel.
    pub fn needs_no_file(&self, name: &BString) -> bool {
        self.built_in.contains(name) && !self.modules.contains_key(name)
    }

    /// # Errors
    /// If there is no such module. The text names similar ones.
    pub fn module(&self, name: &BString) -> Result<&Module, String> {
        self.modules.get(name).ok_or_else(|| {
            let similar: Vec<_> = self
                .similar(name)
                .map(|name| escape(name).to_string())
                .collect();
            let cure = match similar.is_empty() {
                true => "look for its name in this file, or name another directory with --modules"
                    .into(),
                false => format!("similar names: {}", similar.join(", ")),
            };
            format!("has no kernel module {}; {cure}", escape(name))
        })
    }

    /// The modules to load before, as far as there are any. modprobe(8) ignores the others, too.
    pub fn soft_dependencies(&self, name: &BString) -> impl Iterator<Item = &BString> {
        let names = self.before.get(name).into_iter().flatten();
        let modules = names.flat_map(|name| match self.aliases.get(name) {
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
