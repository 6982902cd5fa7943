//! Finds the libraries of a program of this machine.

use super::Search;
use super::directories::{Object, directories, expand, is_part_of_musl};
use super::elf::Elf;
use super::interpreter::{Interpreter, Libc};
use super::root::{Found, file_name, parent};
use crate::Error;
use crate::escape::escape;
use bstr::BString;
use std::collections::HashSet;
use std::rc::Rc;

/// Adds the libraries of the program `found`, and theirs.
pub(super) fn libraries(
    search: &mut Search,
    interpreter: &Interpreter,
    found: &Found,
    elf: Rc<Elf>,
) -> Result<(), Error> {
    // The libraries that are loaded, by the names that they are asked for and by their DT_SONAMEs.
    let mut names = HashSet::from([BString::from(file_name(&interpreter.path))]);
    names.extend(interpreter.elf.soname.clone());
    let mut objects = vec![Object {
        path: found.real.clone(),
        // ld.so reads /proc/self/exe, which has no symbolic links.
        origin: parent(&found.real).into(),
        elf,
        needed_by: None,
    }];
    let mut index = 0;
    while let Some(object) = objects.get(index) {
        for name in &Rc::clone(&object.elf).needed {
            if names.contains(name) || is_part_of_musl(interpreter, name) {
                continue;
            }
            let (found, object) = find(search, interpreter, &objects, index, name)?;
            names.insert(name.clone());
            names.extend(object.elf.soname.clone());
            search.take(&found);
            objects.push(object);
        }
        index += 1;
    }
    Ok(())
}

/// Finds the library `name` that the object at `index` needs.
fn find(
    search: &mut Search,
    interpreter: &Interpreter,
    objects: &[Object],
    index: usize,
    name: &BString,
) -> Result<(Found, Object), Error> {
    let by = &objects[index];
    let name = expand(name, &by.origin, interpreter);
    let is_path = name.contains(&b'/');
    let is_relative = is_path && !name.starts_with(b"/");
    let candidates: Vec<(BString, bool)> = if is_relative {
        Vec::new()
    } else if is_path {
        vec![(name.clone(), false)]
    } else {
        let path = |path: BString| BString::from([&path, &b"/"[..], &name].concat());
        directories(interpreter, objects, index)
            .into_iter()
            .map(|directory| (path(directory.path), directory.is_configured))
            .collect()
    };
    let mut foreign = None;
    for (path, is_configured) in &candidates {
        let found = search.root.find_if_exists(path);
        let found = found.map_err(|error| Error::at(search.root.source(path), error))?;
        let Some(found) = found.filter(|found| found.metadata.is_file()) else {
            continue;
        };
        let elf = search.elf(&found)?;
        if elf.architecture != by.elf.architecture {
            let text = || format!("; {} is for {}", escape(path), elf.architecture);
            foreign.get_or_insert_with(text);
            continue;
        }
        if let (true, Libc::Glibc { cache }) = (*is_configured, &interpreter.libc) {
            let libraries = search.cached.entry(cache.clone()).or_default();
            libraries.insert(name.clone(), path.clone());
        }
        let object = Object {
            path: path.clone(),
            origin: parent(path).into(),
            elf,
            needed_by: Some(index),
        };
        return Ok((found, object));
    }

    let mut places: Vec<_> = candidates
        .iter()
        .map(|(path, _)| escape(parent(path)).to_string())
        .collect();
    places.dedup();
    let place = match &places[..] {
        _ if is_relative => {
            "would be in the working directory of the program, which packer does not know".into()
        }
        [] => {
            "is not found: this file excludes the default directories, and names no others".into()
        }
        places => format!("is not in {}", places.join(", ")),
    };
    let program = match by.needed_by {
        Some(_) => format!(" for {}", escape(&objects[0].path)),
        None => String::new(),
    };
    let list = match &interpreter.libc {
        Libc::Glibc { .. } => "ld.so.conf",
        Libc::Musl { .. } => "ld-musl-ARCH.path",
    };
    let reason = format!(
        "needs the library {}{program}, which {place}{}; install it for {}, or name its directory in /etc/{list}",
        escape(&name),
        foreign.unwrap_or_default(),
        by.elf.architecture
    );
    Err(Error::at(search.root.source(&by.path), reason))
}
