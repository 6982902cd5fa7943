//! Whether ld.so finds the libraries of a program, and whether the CPU can run them.

use super::Check;
use super::Severity::{Error, Note};
use super::contents::Contents;
use super::level::Level;
use crate::escape::escape;
use crate::manifest::ManifestKind;
use crate::program::directories::{Object, directories, expand, is_part_of_musl};
use crate::program::elf::Elf;
use crate::program::interpreter::{Interpreter, Libc, System, musl_path_file};
use crate::program::root::{file_name, parent};
use crate::rootfs::Found;
use bstr::{BString, ByteSlice};
use object::elf::{EM_X86_64, Machine};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// A program with an ELF interpreter, which is in the image.
pub(super) struct Program<'a> {
    pub found: &'a Found,
    pub elf: &'a Rc<Elf>,
    pub interpreter: &'a Found,
}

/// A library that is not found, with the files that need it.
struct Missing {
    needed_by: Vec<BString>,
    places: Vec<BString>,
    /// Why a file of this name does not count.
    instead: Option<String>,
}

impl Check<'_> {
    /// Checks the libraries. `path` is that of the interpreter in the program.
    pub(super) fn libraries(&mut self, path: &BString, program: &Program) {
        let Some(interpreter) = self.interpreter(path, program.interpreter) else {
            return;
        };
        let mut names = HashSet::from([BString::from(file_name(path))]);
        names.extend(interpreter.elf.soname.clone());
        let mut objects = vec![Object {
            path: program.found.real.clone(),
            origin: parent(&program.found.real).into(),
            elf: Rc::clone(program.elf),
            needed_by: None,
        }];
        let mut missing = BTreeMap::<BString, Missing>::new();
        let mut index = 0;
        while let Some(object) = objects.get(index) {
            let by = object.path.clone();
            for name in &Rc::clone(&object.elf).needed {
                if names.contains(name) || is_part_of_musl(&interpreter, name) {
                    continue;
                }
                if let Some(missing) = missing.get_mut(name) {
                    missing.needed_by.push(by.clone());
                    continue;
                }
                match self.library(&interpreter, &objects, index, name) {
                    Ok(object) => {
                        names.insert(name.clone());
                        names.extend(object.elf.soname.clone());
                        objects.push(object);
                    }
                    Err(found) => drop(missing.insert(name.clone(), found)),
                }
            }
            index += 1;
        }
        for (name, missing) in missing {
            self.missing(&name, &missing, &program.found.real);
        }
        let loader = (program.interpreter.real.clone(), interpreter.elf);
        let objects = objects.into_iter().map(|object| (object.path, object.elf));
        self.needed_levels(&objects.chain([loader]).collect::<Vec<_>>());
    }

    /// The interpreter `found`, which a program names by `path`.
    fn interpreter(&self, path: &BString, found: &Found) -> Option<Interpreter> {
        let contents = self.collection.contents.get(&found.node)?;
        let elf = Rc::clone(contents.elf()?);
        let system = match (musl_path_file(path), contents) {
            (Some(file), _) => System::of_musl(self.configuration(&file), None),
            (None, Contents::Interpreter(_, system)) => System {
                libc: match &system.libc {
                    Libc::Glibc { cache } => Libc::Glibc {
                        cache: cache.clone(),
                    },
                    Libc::Musl { .. } => Libc::Musl { path_file: None },
                },
                defaults: system.defaults.clone(),
            },
            (None, _) => System::of_glibc(b""),
        };
        Some(Interpreter::of_system(path, &found.real, elf, system))
    }

    fn configuration(&self, path: &[u8]) -> Option<&[u8]> {
        let found = self.files.lookup(path).ok()?;
        match self.collection.contents.get(&found.node)? {
            Contents::Configuration(text) => Some(text),
            _ => None,
        }
    }

    /// Finds the library `name` that the object at `index` needs.
    fn library(
        &self,
        interpreter: &Interpreter,
        objects: &[Object],
        index: usize,
        name: &BString,
    ) -> Result<Object, Missing> {
        let by = &objects[index];
        let expanded = expand(name, &by.origin, interpreter);
        let mut paths: Vec<BString> = match expanded.contains(&b'/') {
            // A relative path begins at the working directory, and that of init is the root.
            true => vec![expanded.clone()],
            false => directories(interpreter, objects, index)
                .into_iter()
                .map(|directory| [&directory.path, &b"/"[..], &expanded].concat().into())
                .collect(),
        };
        if let Libc::Glibc { cache } = &interpreter.libc {
            // Each path in the cache is a string of its own. The path need not end in the name that it is for, but
            // ldconfig(8) takes no other.
            let cache = self.configuration(cache).unwrap_or_default();
            let cached = cache.split_str("\0");
            let cached =
                cached.filter(|path| path.starts_with(b"/") && file_name(path) == *expanded);
            paths.extend(cached.map(BString::from));
        }
        let mut instead = None;
        for path in &paths {
            let Ok(found) = self.files.lookup(path) else {
                continue;
            };
            let entry = self.files.entry(found.node);
            let contents = self.collection.contents.get(&found.node);
            let fault = match contents.and_then(Contents::elf) {
                Some(elf) if elf.architecture == by.elf.architecture => {
                    return Ok(Object {
                        path: path.clone(),
                        origin: parent(path).into(),
                        elf: Rc::clone(elf),
                        needed_by: Some(index),
                    });
                }
                Some(elf) => format!("is for {}", elf.architecture),
                None if !matches!(entry.kind, ManifestKind::File { .. }) => {
                    format!("is a {}", entry.kind.file_type().name())
                }
                None if contents.is_none() => "is empty".into(),
                None => "is not an ELF file".into(),
            };
            instead.get_or_insert(format!("{} {fault}", escape(path)));
        }
        let mut places: Vec<BString> = Vec::new();
        for path in &paths {
            let place = parent(path);
            if !places.iter().any(|known| known == place) {
                places.push(place.into());
            }
        }
        Err(Missing {
            needed_by: vec![by.path.clone()],
            places,
            instead,
        })
    }

    fn missing(&mut self, name: &BString, missing: &Missing, program: &BString) {
        let Missing {
            needed_by,
            places,
            instead,
        } = missing;
        let (Some(first), others) = (needed_by.first(), needed_by.len() - 1) else {
            return;
        };
        let program = match first == program {
            true => String::new(),
            false => format!(" for {}", escape(program)),
        };
        let others = match others {
            0 => String::new(),
            1 => " (as does 1 more file)".into(),
            more => format!(" (as do {more} more files)"),
        };
        let place = match instead {
            Some(instead) => format!("but {instead}"),
            None => {
                let places: Vec<_> = places.iter().map(|path| escape(path).to_string()).collect();
                format!("which is not in {}", places.join(", "))
            }
        };
        let problem = format!(
            "needs the library {}{program}{others}, {place}",
            escape(name)
        );
        let advice =
            "pack the program with --program, which adds the libraries, or pack the library";
        self.report(Error, first, problem, advice);
    }

    /// Checks the level of x86-64 that the files say they need.
    pub(super) fn needed_levels(&mut self, files: &[(BString, Rc<Elf>)]) {
        let files = files
            .iter()
            .filter(|(_, elf)| Machine(elf.architecture.machine) == EM_X86_64);
        let levels = files.map(|(path, elf)| (path, Level::of_bits(elf.isa_needed)));
        // Of several, the first one.
        let highest = levels.rev().max_by_key(|(_, level)| *level);
        let Some((path, needed)) = highest.filter(|(_, level)| *level > Level::BASELINE) else {
            return;
        };
        match self.conditions.level {
            Some(level) if needed > level => {
                let problem = format!("is built for {needed}, and the CPU has only {level}");
                let advice = "take a newer CPU, for example `boot --cpu max`, or build the program for x86-64";
                self.report(Error, path, problem, advice);
            }
            Some(_) => {}
            None => {
                let problem = format!("is built for {needed}: an older CPU does not run it");
                let advice =
                    "name the level of your CPU with --cpu; boot's default CPU has x86-64-v1";
                self.report(Note, path, problem, advice);
            }
        }
    }
}
