//! The directories in which ld.so looks for a library: `_dl_map_object` of glibc's elf/dl-load.c.

use super::elf::Elf;
use super::interpreter::{Interpreter, Libc};
use bstr::{BString, ByteSlice};
use std::rc::Rc;

/// The program, or a library that it has loaded.
pub(crate) struct Object {
    /// As ld.so opens it.
    pub path: BString,
    /// `$ORIGIN`.
    pub origin: BString,
    pub elf: Rc<Elf>,
    /// The index of the object that needs it. `None` for the program.
    pub needed_by: Option<usize>,
}

/// A directory in which a library may be.
pub(crate) struct Directory {
    pub path: BString,
    /// Whether ld.so knows it only from its cache.
    pub is_configured: bool,
}

/// musl has these libraries in its interpreter, whatever their version.
pub(crate) fn is_part_of_musl(interpreter: &Interpreter, name: &[u8]) -> bool {
    let stem = name
        .strip_prefix(b"lib")
        .and_then(|rest| rest.split_once_str("."));
    let is_part = matches!(
        stem,
        Some((
            b"c" | b"pthread" | b"rt" | b"m" | b"dl" | b"util" | b"xnet",
            _
        ))
    );
    // Alpine's libc.musl-x86_64.so.1 is a link to the interpreter.
    is_part && matches!(interpreter.libc, Libc::Musl { .. }) && !name.starts_with(b"libc.musl-")
}

/// Where to look for the libraries of the object at `index`, in the order of ld.so.
pub(crate) fn directories(
    interpreter: &Interpreter,
    objects: &[Object],
    index: usize,
) -> Vec<Directory> {
    let by = &objects[index];
    let is_musl = matches!(interpreter.libc, Libc::Musl { .. });
    let mut paths = Vec::new();
    let mut add = |list: Option<&BString>, object: &Object| {
        let list = list.into_iter().flat_map(|list| list.split_str(":"));
        paths.extend(list.map(|path| expand(path, &object.origin, interpreter)));
    };
    if is_musl || by.elf.runpath.is_none() {
        let mut next = Some(by);
        while let Some(object) = next {
            let elf = &object.elf;
            match &elf.runpath {
                None => add(elf.rpath.as_ref(), object),
                // glibc: a DT_RPATH beside a DT_RUNPATH does not count. musl takes both for the same.
                Some(_) if !is_musl => {}
                runpath => add(runpath.as_ref(), object),
            }
            next = object.needed_by.map(|index| &objects[index]);
        }
    } else {
        add(by.elf.runpath.as_ref(), by);
    }
    // An empty or a relative path would depend on the working directory.
    paths.retain(|path| path.starts_with(b"/"));
    let mut directories: Vec<_> = paths
        .into_iter()
        .map(|path| Directory {
            path,
            is_configured: false,
        })
        .collect();
    for path in interpreter.configured.iter().chain(&interpreter.defaults) {
        let is_default = interpreter.defaults.contains(path);
        let is_new = directories.iter().all(|directory| directory.path != *path);
        if is_new && !(is_default && by.elf.no_default) {
            directories.push(Directory {
                path: path.clone(),
                is_configured: !is_default,
            });
        }
    }
    directories
}

/// Replaces the tokens of ld.so(8), "Dynamic string tokens".
pub(crate) fn expand(text: &[u8], origin: &[u8], interpreter: &Interpreter) -> BString {
    let tokens = [
        ("ORIGIN", origin),
        ("LIB", &interpreter.lib),
        ("PLATFORM", interpreter.platform.as_bytes()),
    ];
    let mut text = text.to_owned();
    for (token, value) in tokens {
        text = text.replace(format!("${{{token}}}"), value);
        text = text.replace(format!("${token}"), value);
    }
    text.into()
}
