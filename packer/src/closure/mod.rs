//! Closures of Nix store paths, read from the graphs that Nix writes.
//!
//! | Source | Form |
//! | --- | --- |
//! | `exportReferencesGraph` of a derivation | lines: a path, an empty line for its deriver, the number of its references, the references |
//! | the same with `__structuredAttrs` | `.attrs.json`, with one or several graphs, which are merged |
//! | `nix path-info --json --recursive`, Nix up to 2.18 and Lix | an array of objects with a field `path` |
//! | the same, Nix from 2.19 on | an object with the paths as keys |
//! | the same with `--json-format 2`, Nix from 2.33 on | an object `info` with the last parts of the paths as keys |
//!
//! The JSON forms have the hash and the size of each path's NAR, and packer compares the files in the
//! store with them. The plain form has neither, so packer cannot compare.
//!
//! ```no_run
//! use packer::{Tree, closure::Graph};
//! use std::num::NonZero;
//! use std::path::Path;
//!
//! let mut tree = Tree::new();
//! let graph = Graph::read(Path::new("graph.json"))?;
//! let store_paths = graph.insert(&mut tree, NonZero::<usize>::MIN)?;
//! # Ok::<(), packer::Error>(())
//! ```

mod json;
mod nar;
pub(crate) mod store_path;
mod text;

use crate::escape::{escape, escape_path};
use crate::{Error, StorePath, Tree, walk};
use nar::Nar;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A closure: store paths with everything that they refer to.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The file that it was read from, for errors.
    file: PathBuf,
    objects: Objects,
}

/// Store objects by their paths.
type Objects = BTreeMap<String, Object>;

/// A store object, as a graph describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    references: BTreeSet<String>,
    nar: Option<Nar>,
}

impl Object {
    /// The name of the first attribute in which the two differ.
    fn contradicts(&self, other: &Self) -> Option<&'static str> {
        if self.references != other.references {
            return Some("references");
        }
        match (self.nar, other.nar) {
            (Some(one), Some(other)) if one != other => Some("NARs"),
            _ => None,
        }
    }
}

impl Graph {
    /// Reads the graph in `file`.
    ///
    /// # Errors
    /// If `file` cannot be read or has none of the forms above; if it has no paths, or one that is not a
    /// store path; if it contradicts itself; or if it is not closed, that is, a path refers to another
    /// that is not in it.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let bytes = fs::read(file).map_err(|error| Error::at(file, error))?;
        let objects = match bytes.trim_ascii_start() {
            [b'{' | b'[', ..] => json::parse(&bytes).map_err(|reason| Error::at(file, reason))?,
            _ => {
                text::parse(&bytes).map_err(|(line, reason)| Error::at_line(file, line, reason))?
            }
        };
        check_closure(&objects).map_err(|reason| Error::at(file, reason))?;
        let file = file.to_owned();
        Ok(Self { file, objects })
    }

    /// Adds the store paths of `other`, so that a path in both graphs is hashed and packed only once.
    ///
    /// # Errors
    /// If the two contradict each other.
    pub fn merge(&mut self, other: Self) -> Result<(), Error> {
        for (path, object) in other.objects {
            let present = self.objects.get(&path);
            if let Some(what) = present.and_then(|present| present.contradicts(&object)) {
                let (path, this) = (escape(path.as_bytes()), escape_path(&self.file));
                let reason = format!("has {path} with other {what} than {this}");
                return Err(Error::at(other.file, reason));
            }
            add(&mut self.objects, path, object).expect("nothing contradicts it");
        }
        Ok(())
    }

    /// Adds every store path to `tree`, at the same path, and returns the store paths in their order.
    /// `jobs` threads compute the hashes. The result does not depend on their number.
    ///
    /// The modes are those that Nix sets when it registers a path: 0555 for directories and for files with
    /// the owner's execute bit, 0444 for other files. Hard links within the store become separate files. The
    /// owner of everything is root.
    ///
    /// # Errors
    /// If a store path is missing, cannot be read, or differs from the graph; and those of
    /// [`Tree::insert`]. The first error by the bytes of its path is returned.
    pub fn insert(&self, tree: &mut Tree, jobs: NonZero<usize>) -> Result<Vec<StorePath>, Error> {
        // Check this first, because hashing takes long.
        for path in self.objects.keys() {
            fs::symlink_metadata(path).map_err(|error| {
                let reason = format!("{error}; `nix-store --realise` builds or fetches it");
                Error::at(path, reason)
            })?;
        }
        let objects: Vec<_> = self.objects.iter().collect();
        let nars = in_parallel(jobs, &objects, |(path, object)| check_nar(path, object));
        let mut inserted = Vec::new();
        for ((path, object), nar) in objects.into_iter().zip(nars) {
            let nar = nar?;
            walk::insert_store_path(tree, Path::new(path))?;
            inserted.push(StorePath {
                path: path.clone(),
                nar_hash: nar.sri(),
                nar_size: nar.size,
                references: object.references.iter().cloned().collect(),
            });
        }
        Ok(inserted)
    }
}

/// Hashes a store object and compares it with the graph.
fn check_nar(path: &str, object: &Object) -> Result<Nar, Error> {
    let found = Nar::of(Path::new(path)).map_err(|error| {
        let reason = format!("cannot be hashed: {error}");
        Error::at(path, reason)
    })?;
    match object.nar {
        Some(expected) if expected != found => {
            let reason = format!(
                "was changed since it was registered: its NAR was {expected}, and is {found}; \
                 `nix-store --verify --check-contents` finds everything in the store that was"
            );
            Err(Error::at(path, reason))
        }
        _ => Ok(found),
    }
}

/// Calls `work` for each item in `jobs` threads, and returns the results in the order of the items. Failures
/// do not stop it, so the first failure does not depend on the speed of the threads.
fn in_parallel<T: Sync, R: Send>(
    jobs: NonZero<usize>,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..jobs.get().min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let result = work(item);
                    let mut results = results.lock().expect("no holder of the lock panics");
                    results.insert(index, result);
                }
            });
        }
    });
    let results = results.into_inner().expect("no holder of the lock panics");
    results.into_values().collect()
}

/// Adds an object. Fails if it is there already with other attributes.
fn add(objects: &mut Objects, path: String, mut object: Object) -> Result<(), String> {
    if let Some(present) = objects.get(&path) {
        if let Some(what) = present.contradicts(&object) {
            let path = escape(path.as_bytes());
            return Err(format!("has {path} twice, with different {what}"));
        }
        object.nar = object.nar.or(present.nar);
    }
    objects.insert(path, object);
    Ok(())
}

/// Checks that the objects are one closed graph of one store.
fn check_closure(objects: &Objects) -> Result<(), String> {
    let Some(first) = objects.keys().next() else {
        return Err("has no store paths".into());
    };
    let store = |path: &str| path.rsplit_once('/').map(|(store, _)| store.to_owned());
    for (path, object) in objects {
        if store(path) != store(first) {
            let (path, first) = (escape(path.as_bytes()), escape(first.as_bytes()));
            return Err(format!("{path} is in another store than {first}"));
        }
        if let Some(missing) = object
            .references
            .iter()
            .find(|&path| !objects.contains_key(path))
        {
            let (path, missing) = (escape(path.as_bytes()), escape(missing.as_bytes()));
            return Err(format!(
                "{path} refers to {missing}, which is not in the graph; \
                 `nix path-info --json --recursive` writes all of it"
            ));
        }
    }
    Ok(())
}
