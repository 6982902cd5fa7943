//! Entries as text, the way the command line names them.
//!
//! | Function | Form | Example |
//! | --- | --- | --- |
//! | [`file()`] | `DEST=SRC[:MODE]` | `/init=./init:0755` |
//! | [`dir()`] | `DEST[:MODE]` | `/tmp:1777` |
//! | [`node()`] | `DEST=c\|b:MAJ:MIN[:MODE]` | `/dev/console=c:5:1:0600` |
//! | [`symlink()`] | `DEST=TARGET` | `/bin/sh=busybox` |
//!
//! `DEST` is a path in the archive and ends at the first `=`. `MODE` is octal and follows the last
//! `:`, so a `SRC` or a directory with a `:` in its name needs one. Only the form is looked at here,
//! no file is.

use crate::{Device, Entry, Error, Kind, MODE_MAX};

/// An entry and its path in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// As written; [`Tree::insert`](crate::Tree::insert) has the rules.
    pub path: String,
    /// What is to be there.
    pub entry: Entry,
}

impl Spec {
    fn new(path: &str, mode: Option<u32>, kind: Kind) -> Self {
        Self {
            path: path.to_owned(),
            entry: Entry { mode, kind },
        }
    }
}

/// A file, `DEST=SRC[:MODE]`: the contents of the file `SRC`.
pub fn file(spec: &str) -> Result<Spec, Error> {
    let (path, rest) = split(spec, "DEST=SRC[:MODE]")?;
    let (source, mode) = split_mode(path, rest)?;
    if source.is_empty() {
        return Err(Error::at(path, "SRC is empty"));
    }
    let kind = Kind::File {
        source: source.into(),
    };
    Ok(Spec::new(path, mode, kind))
}

/// A directory, `DEST[:MODE]`.
pub fn dir(spec: &str) -> Result<Spec, Error> {
    let (path, mode) = split_mode(spec, spec)?;
    Ok(Spec::new(path, mode, Kind::Directory))
}

/// A device, `DEST=c|b:MAJ:MIN[:MODE]`: character or block, major and minor number in decimal.
pub fn node(spec: &str) -> Result<Spec, Error> {
    const FORM: &str = "DEST=c|b:MAJ:MIN[:MODE]";
    let (path, rest) = split(spec, FORM)?;
    let fields: Vec<_> = rest.split(':').collect();
    let (letter, major, minor, mode) = match fields[..] {
        [letter, major, minor] => (letter, major, minor, None),
        [letter, major, minor, mode] => (letter, major, minor, Some(mode)),
        _ => return Err(not(path, rest, FORM)),
    };
    let kind = match letter {
        "c" => Kind::CharDevice,
        "b" => Kind::BlockDevice,
        _ => return Err(not(path, letter, "c or b")),
    };
    let major = number(path, "major", major, Device::MAJOR_MAX)?;
    let minor = number(path, "minor", minor, Device::MINOR_MAX)?;
    let device = Device::new(major, minor).expect("both were compared with their maximum");
    let mode = mode.map(|mode| octal(path, mode)).transpose()?;
    Ok(Spec::new(path, mode, kind(device)))
}

/// A symbolic link, `DEST=TARGET`.
pub fn symlink(spec: &str) -> Result<Spec, Error> {
    let (path, target) = split(spec, "DEST=TARGET")?;
    let kind = Kind::Symlink {
        target: target.to_owned(),
    };
    Ok(Spec::new(path, None, kind))
}

fn not(path: &str, found: &str, expected: &str) -> Error {
    Error::at(path, format!("`{found}` is not {expected}"))
}

fn split<'a>(spec: &'a str, form: &str) -> Result<(&'a str, &'a str), Error> {
    spec.split_once('=').ok_or_else(|| not(spec, spec, form))
}

fn split_mode<'a>(path: &str, text: &'a str) -> Result<(&'a str, Option<u32>), Error> {
    match text.rsplit_once(':') {
        None => Ok((text, None)),
        Some((rest, mode)) => Ok((rest, Some(octal(path, mode)?))),
    }
}

fn octal(path: &str, text: &str) -> Result<u32, Error> {
    digits(text, 8)
        .filter(|&mode| mode <= MODE_MAX)
        .ok_or_else(|| not(path, text, "an octal mode from 0 to 7777"))
}

fn number(path: &str, what: &str, text: &str, max: u32) -> Result<u32, Error> {
    digits(text, 10)
        .filter(|&number| number <= max)
        .ok_or_else(|| not(path, text, &format!("a {what} number from 0 to {max}")))
}

/// Like `from_str_radix`, but without a sign.
fn digits(text: &str, radix: u32) -> Option<u32> {
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
            (file("/init=./i"), "/init", None, source("./i")),
            (file("/a=b=c:0755"), "/a", Some(0o755), source("b=c")),
            (file("/a=b:c:4711"), "/a", Some(0o4711), source("b:c")),
            (dir("/d"), "/d", None, Kind::Directory),
            (dir("/d:1777"), "/d", Some(0o1777), Kind::Directory),
            (dir("/d:e:0"), "/d:e", Some(0), Kind::Directory),
            (node("/c=c:5:1"), "/c", None, console.clone()),
            (node("/c=c:5:1:0600"), "/c", Some(0o600), console),
            (node("/b=b:4095:1048575"), "/b", None, disk),
            (symlink("/l=a=b:c"), "/l", None, link),
        ] {
            assert_eq!(parsed.unwrap(), Spec::new(path, mode, kind));
        }
    }

    #[test]
    fn every_mistake_names_its_path() {
        for (parsed, error) in [
            (file("/init"), "/init: `/init` is not DEST=SRC[:MODE]"),
            (file("/i="), "/i: SRC is empty"),
            (file("/i=:755"), "/i: SRC is empty"),
            (
                file("/i=a:b"),
                "/i: `b` is not an octal mode from 0 to 7777",
            ),
            (file("/i=a:"), "/i: `` is not an octal mode from 0 to 7777"),
            (
                file("/i=a:8"),
                "/i: `8` is not an octal mode from 0 to 7777",
            ),
            (
                file("/i=a:+7"),
                "/i: `+7` is not an octal mode from 0 to 7777",
            ),
            (
                file("/i=a:10000"),
                "/i: `10000` is not an octal mode from 0 to 7777",
            ),
            (dir("/d:x"), "/d:x: `x` is not an octal mode from 0 to 7777"),
            (node("/n=c:5"), "/n: `c:5` is not DEST=c|b:MAJ:MIN[:MODE]"),
            (node("/n=p:5:1"), "/n: `p` is not c or b"),
            (
                node("/n=c:4096:1"),
                "/n: `4096` is not a major number from 0 to 4095",
            ),
            (
                node("/n=c:-1:1"),
                "/n: `-1` is not a major number from 0 to 4095",
            ),
            (
                node("/n=c:5:1048576"),
                "/n: `1048576` is not a minor number from 0 to 1048575",
            ),
            (
                node("/n=c:5:1:9"),
                "/n: `9` is not an octal mode from 0 to 7777",
            ),
            (symlink("/l"), "/l: `/l` is not DEST=TARGET"),
        ] {
            assert_eq!(parsed.unwrap_err().to_string(), error);
        }
    }
}
