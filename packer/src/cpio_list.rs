//! Lists of entries in the format of the kernel's `usr/gen_init_cpio.c`.
//!
//! Each line is an entry. Blanks separate its fields:
//!
//! ```text
//! file NAME LOCATION MODE UID GID [HARD LINK...]
//! dir NAME MODE UID GID
//! nod NAME MODE UID GID b|c MAJOR MINOR
//! slink NAME TARGET MODE UID GID
//! pipe NAME MODE UID GID
//! sock NAME MODE UID GID
//! ```
//!
//! `NAME` is a path in the archive. `LOCATION` is a path on this machine, relative to the current
//! directory. In `LOCATION`, and only there, `${VARIABLE}` stands for the value of an environment
//! variable. `MODE` is octal, all other numbers are decimal. Empty lines and lines that begin with `#` are
//! ignored. Names are bytes. They cannot contain blanks, because the format has no quotes.
//!
//! # Differences from gen_init_cpio
//!
//! The archive unpacks to the same files. Its entries are sorted and have the same time, missing
//! directories on the way to an entry are added, and the targets of links do not end with a NUL.
//!
//! These mistakes are errors. gen_init_cpio accepts them and writes something else than the list says:
//!
//! | In the list | gen_init_cpio |
//! | --- | --- |
//! | an unknown kind, a kind without fields, or a blank before it | leaves the line out |
//! | `${VARIABLE}` that is not set | uses an empty value |
//! | too many fields, unless they begin with `#` | ignores them |
//! | `#` after the fields of a `file` | makes a hard link of each word |
//! | a number followed by other characters | uses the digits, and the rest as the next field |
//! | a number that is negative or too large | writes other bits |
//! | a device that is neither `b` nor `c` | makes a `c` |
//! | a path that another entry has already | writes both entries |
//!
//! There is one more difference: gen_init_cpio expands a `${` in the value of a variable, packer does not.

use crate::error::Reason;
use crate::escape::escape;
use crate::{Entry, Error, Kind, Owner, Tree, source, spec};
use bstr::{BStr, ByteSlice};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Adds the entries of the file `list` to `tree`. `-` stands for standard input.
///
/// # Errors
/// If the list cannot be read, if a line does not have one of the forms above, if a location is not a
/// regular file, and those of [`Tree::insert`]. Entries before the error stay in the tree.
pub fn insert(tree: &mut Tree, list: &Path) -> Result<(), Error> {
    let mut bytes = Vec::new();
    let (name, read) = match list.as_os_str().as_bytes() {
        b"-" => (
            Path::new("stdin"),
            io::stdin().read_to_end(&mut bytes).map(drop),
        ),
        _ => (list, fs::read(list).map(|contents| bytes = contents)),
    };
    read.map_err(|error| Error::at(name, error))?;
    for (index, line) in bytes.lines().enumerate() {
        insert_line(tree, line).map_err(|reason| Error::at_line(name, index + 1, reason))?;
    }
    Ok(())
}

const FORMS: [&str; 6] = [
    "file NAME LOCATION MODE UID GID [HARD LINK...]",
    "dir NAME MODE UID GID",
    "nod NAME MODE UID GID b|c MAJOR MINOR",
    "slink NAME TARGET MODE UID GID",
    "pipe NAME MODE UID GID",
    "sock NAME MODE UID GID",
];

fn insert_line(tree: &mut Tree, line: &[u8]) -> Result<(), Reason> {
    let fields = line.split(is_blank).filter(|field| !field.is_empty());
    let fields: Vec<_> = fields.map(ByteSlice::as_bstr).collect();
    let Some((word, fields)) = fields.split_first() else {
        return Ok(());
    };
    if word.starts_with(b"#") {
        return Ok(());
    }
    if !line.starts_with(word) {
        return Err("begins with a blank, and gen_init_cpio ignores such lines; remove it".into());
    }
    let (name, kind, [mode, uid, gid], rest) = parse(word, fields)?;
    let entry = Entry {
        mode: Some(spec::mode(mode)?),
        owner: Owner {
            uid: spec::number("user", uid, spec::ID_MAX)?,
            gid: spec::number("group", gid, spec::ID_MAX)?,
        },
        mtime: None,
        kind,
    };
    let links = match (&entry.kind, rest) {
        (Kind::File { .. }, [link, ..]) if link.starts_with(b"#") => {
            let link = escape(link);
            let reason = format!("`{link}` would be a hard link; a comment needs its own line");
            return Err(reason.into());
        }
        (Kind::File { .. }, links) => links,
        (_, [field, ..]) if !field.starts_with(b"#") => {
            return Err(format!("`{}` is one field too many", escape(field)).into());
        }
        _ => &[],
    };
    tree.insert(name, entry)?;
    for link in links {
        let file = name.to_vec().into();
        tree.insert(link, Entry::new(Kind::HardLink { file }))?;
    }
    Ok(())
}

/// The name, the kind, the fields for mode, user and group, and the remaining fields.
type Parsed<'a> = (&'a BStr, Kind, [&'a BStr; 3], &'a [&'a BStr]);

fn parse<'a>(word: &BStr, fields: &'a [&'a BStr]) -> Result<Parsed<'a>, Reason> {
    Ok(match (word.as_bytes(), fields) {
        (b"file", &[name, location, mode, uid, gid, ref rest @ ..]) => {
            let source = PathBuf::from(OsStr::from_bytes(&expand(location)?));
            // Check it now, because the error for a line can name the line.
            source::open(&source)?;
            (name, Kind::File { source }, [mode, uid, gid], rest)
        }
        (b"nod", &[name, mode, uid, gid, letter, major, minor, ref rest @ ..]) => {
            let device = spec::device(major, minor)?;
            let kind = match letter.as_bytes() {
                b"b" => Kind::BlockDevice(device),
                b"c" => Kind::CharDevice(device),
                _ => return Err(format!("`{}` is not b or c", escape(letter)).into()),
            };
            (name, kind, [mode, uid, gid], rest)
        }
        (b"slink", &[name, target, mode, uid, gid, ref rest @ ..]) => {
            let target = target.to_vec().into();
            (name, Kind::Symlink { target }, [mode, uid, gid], rest)
        }
        (b"dir" | b"pipe" | b"sock", &[name, mode, uid, gid, ref rest @ ..]) => {
            let kind = match word.as_bytes() {
                b"dir" => Kind::Directory,
                b"pipe" => Kind::Fifo,
                _ => Kind::Socket,
            };
            (name, kind, [mode, uid, gid], rest)
        }
        _ => return Err(no_such_form(word).into()),
    })
}

/// Whether a byte separates fields: C's isspace(3), which scanf(3) uses.
fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn no_such_form(word: &BStr) -> String {
    let form = FORMS.iter().find(|form| {
        let first = form.split(' ').next();
        first.is_some_and(|first| *word == first)
    });
    match form {
        Some(form) => format!("is not `{form}`"),
        None => format!(
            "`{}` is not file, dir, nod, slink, pipe or sock",
            escape(word)
        ),
    }
}

/// Replaces every `${VARIABLE}` by its value.
fn expand(location: &BStr) -> Result<Vec<u8>, String> {
    let mut expanded = Vec::new();
    let mut rest = location.as_bytes();
    while let Some((before, after)) = rest.split_once_str("${") {
        let Some((variable, after)) = after.split_once_str("}") else {
            break;
        };
        let value = env::var_os(OsStr::from_bytes(variable))
            .ok_or_else(|| format!("the environment variable `{}` is not set", escape(variable)))?;
        expanded.extend_from_slice(before);
        expanded.extend_from_slice(value.as_bytes());
        rest = after;
    }
    expanded.extend_from_slice(rest);
    Ok(expanded)
}
