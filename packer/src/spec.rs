//! Parses the entries on the command line.
//!
//! | Function | Form | Example |
//! | --- | --- | --- |
//! | [`file()`] | `DEST=SRC[:MODE]` | `/init=./init:0755` |
//! | [`dir()`] | `DEST[:MODE]` | `/tmp:1777` |
//! | [`node()`] | `DEST=c\|b:MAJ:MIN[:MODE]` | `/dev/console=c:5:1:0600` |
//! | [`symlink()`] | `DEST=TARGET` | `/bin/sh=busybox` |
//! | [`tree()`] | `DIR[:AT]` | `./root:/usr` |
//!
//! `DEST` is a path in the archive and ends at the first `=`. `MODE` is octal and follows the last
//! `:`, so a `SRC` or a directory with a `:` in its name needs a mode. The functions only parse the text.
//! They open no files.
//!
//! ```
//! use packer::{Device, Kind, spec};
//!
//! let console = spec::node(b"/dev/console=c:5:1")?;
//! assert_eq!(console.path, "/dev/console");
//! assert_eq!(console.entry.kind, Kind::CharDevice(Device::new(5, 1).unwrap()));
//! # Ok::<(), packer::Error>(())
//! ```

use crate::escape::escape;
use crate::{Device, Entry, Error, Kind, MODE_MAX, Owner};
use bstr::{BStr, BString, ByteSlice};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// An entry and its path in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// As the user wrote it. [`Tree::insert`](crate::Tree::insert) checks it.
    pub path: BString,
    /// The entry to add at the path.
    pub entry: Entry,
}

impl Spec {
    fn new(path: &BStr, mode: Option<u32>, kind: Kind) -> Self {
        Self {
            path: path.to_owned(),
            entry: Entry {
                mode,
                ..Entry::new(kind)
            },
        }
    }
}

/// A file, `DEST=SRC[:MODE]`: the contents of the file `SRC`.
pub fn file(spec: &[u8]) -> Result<Spec, Error> {
    let (path, rest) = split(spec, "DEST=SRC[:MODE]")?;
    let (source, mode) = split_mode(path, rest)?;
    if source.is_empty() {
        return Err(Error::entry(path, "SRC is empty"));
    }
    let source = OsStr::from_bytes(source).into();
    Ok(Spec::new(path, mode, Kind::File { source }))
}

/// A directory, `DEST[:MODE]`.
pub fn dir(spec: &[u8]) -> Result<Spec, Error> {
    let (path, mode) = split_mode(spec.as_bstr(), spec.as_bstr())?;
    Ok(Spec::new(path, mode, Kind::Directory))
}

/// A device, `DEST=c|b:MAJ:MIN[:MODE]`: character or block, major and minor number in decimal.
pub fn node(spec: &[u8]) -> Result<Spec, Error> {
    const FORM: &str = "DEST=c|b:MAJ:MIN[:MODE]";
    let (path, rest) = split(spec, FORM)?;
    let fields: Vec<_> = rest.split_str(":").map(ByteSlice::as_bstr).collect();
    let (letter, major, minor, mode) = match fields[..] {
        [letter, major, minor] => (letter, major, minor, None),
        [letter, major, minor, mode] => (letter, major, minor, Some(mode)),
        _ => return Err(not(path, rest, FORM)),
    };
    let kind = match letter.as_bytes() {
        b"c" => Kind::CharDevice,
        b"b" => Kind::BlockDevice,
        _ => return Err(not(path, letter, "c or b")),
    };
    let device = device(major, minor).map_err(|reason| Error::entry(path, reason))?;
    let mode = mode.map(|mode| octal(path, mode)).transpose()?;
    Ok(Spec::new(path, mode, kind(device)))
}

/// A symbolic link, `DEST=TARGET`.
pub fn symlink(spec: &[u8]) -> Result<Spec, Error> {
    let (path, target) = split(spec, "DEST=TARGET")?;
    let target = target.to_owned();
    Ok(Spec::new(path, None, Kind::Symlink { target }))
}

/// A directory of this machine and its path in the archive, `DIR[:AT]`. `AT` begins with a `/`. The default
/// is the root.
pub fn tree(spec: &[u8]) -> Result<(PathBuf, BString), Error> {
    let (dir, at) = match spec.rsplit_once_str(":") {
        Some((dir, at)) if at.starts_with(b"/") => (dir, at),
        _ => (spec, &b"/"[..]),
    };
    if dir.is_empty() {
        return Err(Error::entry(at, "DIR is empty"));
    }
    Ok((OsStr::from_bytes(dir).into(), at.into()))
}

fn not(path: &BStr, found: &BStr, expected: &str) -> Error {
    Error::entry(path, is_not(found, expected))
}

fn is_not(found: &BStr, expected: &str) -> String {
    format!("`{}` is not {expected}", escape(found))
}

fn split<'a>(spec: &'a [u8], form: &str) -> Result<(&'a BStr, &'a BStr), Error> {
    match spec.split_once_str("=") {
        Some((path, rest)) => Ok((path.as_bstr(), rest.as_bstr())),
        None => Err(not(spec.as_bstr(), spec.as_bstr(), form)),
    }
}

fn split_mode<'a>(path: &BStr, text: &'a BStr) -> Result<(&'a BStr, Option<u32>), Error> {
    match text.rsplit_once_str(":") {
        None => Ok((text, None)),
        Some((rest, mode)) => Ok((rest.as_bstr(), Some(octal(path, mode.as_bstr())?))),
    }
}

fn octal(path: &BStr, text: &BStr) -> Result<u32, Error> {
    mode(text).map_err(|reason| Error::entry(path, reason))
}

/// Permission bits, in octal.
pub(crate) fn mode(text: &BStr) -> Result<u32, String> {
    digits(text, 8)
        .filter(|&mode| mode <= MODE_MAX)
        .ok_or_else(|| is_not(text, "an octal mode from 0 to 7777"))
}

/// A device by its major and its minor number, in decimal.
pub(crate) fn device(major: &BStr, minor: &BStr) -> Result<Device, String> {
    let major = number("major", major, Device::MAJOR_MAX)?;
    let minor = number("minor", minor, Device::MINOR_MAX)?;
    Ok(Device::new(major, minor).expect("both were compared with their maximum"))
}

/// The largest number of a user or a group. The next one, -1, makes chown(2) leave the owner unchanged.
pub(crate) const ID_MAX: u32 = u32::MAX - 1;

/// An owner, `UID:GID`.
///
/// # Errors
/// [`Error::At`] if these are not numbers.
pub fn owner(spec: &[u8]) -> Result<Owner, Error> {
    let spec = spec.as_bstr();
    let wrong = |reason: String| Error::entry(spec, reason);
    let Some((uid, gid)) = spec.split_once_str(":") else {
        return Err(wrong("is not UID:GID, two numbers".into()));
    };
    Ok(Owner {
        uid: number("user", uid.as_bstr(), ID_MAX).map_err(wrong)?,
        gid: number("group", gid.as_bstr(), ID_MAX).map_err(wrong)?,
    })
}

/// A decimal number. `what` completes the error: "a `what` number".
pub(crate) fn number(what: &str, text: &BStr, max: u32) -> Result<u32, String> {
    digits(text, 10)
        .filter(|&number| number <= max)
        .ok_or_else(|| is_not(text, &format!("a {what} number from 0 to {max}")))
}

/// As `from_str_radix`, but refuses a sign.
fn digits(text: &BStr, radix: u32) -> Option<u32> {
    let text = text.to_str().ok()?;
    let digits = text.chars().all(|c| c.is_digit(radix));
    digits.then(|| u32::from_str_radix(text, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form() {
        let source = |source: &str| Kind::File {
            source: source.into(),
        };
        let console = Kind::CharDevice(Device::new(5, 1).unwrap());
        let disk = Kind::BlockDevice(Device::new(4095, 1048575).unwrap());
        let link = Kind::Symlink {
            target: "a=b:c".into(),
        };
        for (parsed, path, mode, kind) in [
            (file(b"/init=./i"), "/init", None, source("./i")),
            (file(b"/a=b=c:0755"), "/a", Some(0o755), source("b=c")),
            (file(b"/a=b:c:4711"), "/a", Some(0o4711), source("b:c")),
            (dir(b"/d"), "/d", None, Kind::Directory),
            (dir(b"/d:1777"), "/d", Some(0o1777), Kind::Directory),
            (dir(b"/d:e:0"), "/d:e", Some(0), Kind::Directory),
            (node(b"/c=c:5:1"), "/c", None, console.clone()),
            (node(b"/c=c:5:1:0600"), "/c", Some(0o600), console),
            (node(b"/b=b:4095:1048575"), "/b", None, disk),
            (symlink(b"/l=a=b:c"), "/l", None, link),
        ] {
            assert_eq!(parsed.unwrap(), Spec::new(path.into(), mode, kind));
        }
    }

    #[test]
    fn trees() {
        for (text, dir, at) in [
            (&b"root"[..], "root", "/"),
            (b"root:/usr", "root", "/usr"),
            (b"a:b", "a:b", "/"),
            (b"a:b:/", "a:b", "/"),
        ] {
            assert_eq!(tree(text).unwrap(), (dir.into(), at.into()));
        }
        for text in [&b""[..], b":/usr"] {
            assert!(tree(text).is_err());
        }
    }

    #[test]
    fn every_mistake_names_its_path() {
        for (parsed, error) in [
            (file(b"/init"), "/init: `/init` is not DEST=SRC[:MODE]"),
            (file(b"/i="), "/i: SRC is empty"),
            (file(b"/i=:755"), "/i: SRC is empty"),
            (
                file(b"/i=a:b"),
                "/i: `b` is not an octal mode from 0 to 7777",
            ),
            (file(b"/i=a:"), "/i: `` is not an octal mode from 0 to 7777"),
            (
                file(b"/i=a:8"),
                "/i: `8` is not an octal mode from 0 to 7777",
            ),
            (
                file(b"/i=a:+7"),
                "/i: `+7` is not an octal mode from 0 to 7777",
            ),
            (
                file(b"/i=a:10000"),
                "/i: `10000` is not an octal mode from 0 to 7777",
            ),
            (
                dir(b"/d:x"),
                "/d:x: `x` is not an octal mode from 0 to 7777",
            ),
            (node(b"/n=c:5"), "/n: `c:5` is not DEST=c|b:MAJ:MIN[:MODE]"),
            (node(b"/n=p:5:1"), "/n: `p` is not c or b"),
            (
                node(b"/n=c:4096:1"),
                "/n: `4096` is not a major number from 0 to 4095",
            ),
            (
                node(b"/n=c:-1:1"),
                "/n: `-1` is not a major number from 0 to 4095",
            ),
            (
                node(b"/n=c:5:1048576"),
                "/n: `1048576` is not a minor number from 0 to 1048575",
            ),
            (
                node(b"/n=c:5:1:9"),
                "/n: `9` is not an octal mode from 0 to 7777",
            ),
            (symlink(b"/l"), "/l: `/l` is not DEST=TARGET"),
            (symlink(b"/\n"), r"/\x0a: `/\x0a` is not DEST=TARGET"),
        ] {
            assert_eq!(parsed.unwrap_err().to_string(), error);
        }
    }
}
