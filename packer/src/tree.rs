//! The entries to pack, by path, in the order of the archive.

use crate::escape::{escape, escape_path};
use crate::paths::{self, PATH_MAX, SYMLINKS_MAX};
use crate::{Entry, Error, Kind, MODE_MAX, Owner, source};
use bstr::{BStr, BString, ByteSlice};
use std::collections::BTreeMap;

/// The entries of an archive.
///
/// They are sorted by the bytes of their paths, so every directory comes before its contents. The tree
/// has every directory on the way to an entry, because the kernel needs it.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The key is the path without a leading `/`. The path of the root is empty.
    entries: BTreeMap<BString, Entry>,
}

impl Tree {
    /// An empty tree. The kernel makes the root directory itself. An entry for `/` is needed only to
    /// change its mode or owner.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry and the directories on the way to it.
    ///
    /// `/a/b`, `a/b` and `./a//b/` are the same path. Adding the same entry again changes nothing. Nor
    /// does adding a file whose source has the same contents. If two directories have the same path, and
    /// one is owned by root and has no mode, the owner and the mode of the other count.
    ///
    /// # Errors
    /// If the path is empty, contains `..`, is too long for Linux or marks the end of the archive; if the
    /// mode or the target of a link is not valid; if the tree has a different entry at the path, or an
    /// entry on the way to it that is not a directory.
    pub fn insert(&mut self, path: impl AsRef<[u8]>, mut entry: Entry) -> Result<(), Error> {
        let path = path.as_ref();
        let refuse = |reason: String| Error::entry(path, reason);
        let name = paths::in_archive(path).map_err(|reason| refuse(reason.into()))?;
        if let Kind::HardLink { file } = &mut entry.kind {
            *file = paths::in_archive(file)
                .map_err(|reason| refuse(format!("{}: {reason}", escape(file))))?;
        }
        check(&name, &entry).map_err(refuse)?;

        for parent in parents(&name) {
            let kind = match self.entries.get(parent) {
                Some(entry) => &entry.kind,
                None => &Kind::Directory,
            };
            if *kind != Kind::Directory {
                let kind = kind.name();
                let reason = format!("cannot be inside /{}, which is a {kind}", escape(parent));
                return Err(refuse(reason));
            }
        }
        if let Some(present) = self.entries.get(&name) {
            if !are_compatible(present, &entry)? {
                let present = describe(present);
                return Err(refuse(format!("is there already, as a {present}")));
            }
        }

        for parent in parents(&name) {
            if !self.entries.contains_key(parent) {
                self.entries.insert(parent.to_owned(), Entry::PARENT);
            }
        }
        if entry == Entry::PARENT {
            self.entries.entry(name).or_insert(entry);
        } else {
            self.entries.insert(name, entry);
        }
        Ok(())
    }

    /// Gives to `owner` all entries that belong to root.
    pub fn give_to(&mut self, owner: Owner) {
        let entries = self.entries.values_mut();
        for entry in entries.filter(|entry| entry.owner == Owner::ROOT) {
            entry.owner = owner;
        }
    }

    /// The entries with their paths as in the archive: without a leading `/`, and `.` for the root.
    pub fn entries(&self) -> impl Iterator<Item = (&BStr, &Entry)> {
        self.entries
            .iter()
            .map(|(name, entry)| match name.as_bstr() {
                name if name.is_empty() => (".".into(), entry),
                name => (name, entry),
            })
    }

    /// The path to which `path` leads through the symbolic links of the tree. The last name may be one.
    pub(crate) fn through_links(&self, path: &[u8]) -> BString {
        let mut real = BString::default();
        let mut followed = 0;
        let mut rest = Vec::new();
        paths::push_names(&mut rest, path);
        while let Some(name) = rest.pop() {
            if name == ".." {
                let end = real.rfind_byte(b'/').unwrap_or(0);
                real.truncate(end);
                continue;
            }
            let next: BString = match real.is_empty() {
                true => name,
                false => [real.as_slice(), b"/", &name].concat().into(),
            };
            match self.entries.get(&next).map(|entry| &entry.kind) {
                Some(Kind::Symlink { target }) if !rest.is_empty() && followed < SYMLINKS_MAX => {
                    followed += 1;
                    if target.starts_with(b"/") {
                        real.clear();
                    }
                    paths::push_names(&mut rest, target);
                }
                _ => real = next,
            }
        }
        real
    }

    /// The entry at a path, which is spelled as in [`entries`](Self::entries) and [`Kind::HardLink`].
    pub(crate) fn get(&self, name: &BString) -> Option<&Entry> {
        self.entries.get(name)
    }
}

/// The directories on the way to `name`, from the top down.
fn parents(name: &BString) -> impl Iterator<Item = &BStr> {
    name.find_iter("/").map(|end| name[..end].as_bstr())
}

fn check(name: &BString, entry: &Entry) -> Result<(), String> {
    if name.is_empty() && entry.kind != Kind::Directory {
        return Err(format!(
            "is the root, which cannot be a {}",
            entry.kind.name()
        ));
    }
    if let Some(mode) = entry.mode.filter(|&mode| mode > MODE_MAX) {
        return Err(format!("the mode {mode:o} is larger than {MODE_MAX:o}"));
    }
    match &entry.kind {
        Kind::Symlink { target } if target.is_empty() => Err("a link needs a target".into()),
        Kind::Symlink { target } if target.contains(&0) => {
            Err("the target of a link cannot contain NUL".into())
        }
        Kind::Symlink { target } if target.len() >= PATH_MAX => {
            Err("the target of a link cannot be longer than 4095 bytes".into())
        }
        _ => Ok(()),
    }
}

/// Whether two entries may have the same path.
fn are_compatible(a: &Entry, b: &Entry) -> Result<bool, Error> {
    if a == b {
        return Ok(true);
    }
    Ok(match (&a.kind, &b.kind) {
        (Kind::Directory, Kind::Directory) => *a == Entry::PARENT || *b == Entry::PARENT,
        (Kind::File { source: one }, Kind::File { source: other }) => {
            let attributes = |entry: &Entry| (entry.mode, entry.owner, entry.mtime);
            attributes(a) == attributes(b) && source::is_same_file(one, other)?
        }
        _ => false,
    })
}

fn describe(entry: &Entry) -> String {
    let kind = entry.kind.name();
    let what = match &entry.kind {
        Kind::Directory | Kind::Contents { .. } | Kind::Fifo | Kind::Socket => kind.to_owned(),
        Kind::File { source } => format!("{kind} from {}", escape_path(source)),
        Kind::HardLink { file } => format!("{kind} to /{}", escape(file)),
        Kind::Symlink { target } => format!("{kind} to {}", escape(target)),
        Kind::CharDevice(device) | Kind::BlockDevice(device) => {
            format!("{kind} {}:{}", device.major(), device.minor())
        }
    };
    let mode = entry.mode.map(|mode| format!(" with mode {mode:04o}"));
    let owner = (entry.owner != Owner::ROOT)
        .then(|| format!(" of {}:{}", entry.owner.uid, entry.owner.gid));
    let mtime = entry.mtime.map(|mtime| format!(" of the time {mtime}"));
    [Some(what), mode, owner, mtime]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(mode: Option<u32>) -> Entry {
        Entry {
            mode,
            ..Entry::new(Kind::Directory)
        }
    }

    fn link(target: &str) -> Entry {
        Entry::new(Kind::Symlink {
            target: target.into(),
        })
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        let paths = tree.entries().map(|(path, _)| path.to_str().unwrap());
        paths.collect()
    }

    fn refused(tree: &mut Tree, path: &str, entry: Entry, reason: &str) {
        let before = paths(tree).join("\n");
        let error = tree.insert(path, entry).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert_eq!(
            paths(tree).join("\n"),
            before,
            "a refused entry leaves nothing behind"
        );
    }

    #[test]
    fn parents_come_first_and_come_along() {
        let mut tree = Tree::new();
        for path in ["/a/b/c", "/a.b", "/a-b/x", "/", "/Z"] {
            tree.insert(path, directory(None)).unwrap();
        }
        assert_eq!(
            paths(&tree),
            [".", "Z", "a", "a-b", "a-b/x", "a.b", "a/b", "a/b/c"]
        );
    }

    #[test]
    fn every_spelling_of_a_path_is_one_path() {
        let mut tree = Tree::new();
        for path in ["/a/b", "a/b", "./a//b/", "//a/./b/."] {
            tree.insert(path, link("x")).unwrap();
        }
        assert_eq!(paths(&tree), ["a", "a/b"]);
    }

    #[test]
    fn a_mode_wins_over_none_in_either_order() {
        for modes in [[None, Some(0o700)], [Some(0o700), None]] {
            let mut tree = Tree::new();
            for mode in modes {
                tree.insert("/d", directory(mode)).unwrap();
                tree.insert("/d/x", link("y")).unwrap();
            }
            assert_eq!(
                tree.entries().next(),
                Some(("d".into(), &directory(Some(0o700))))
            );
        }
    }

    #[test]
    fn paths_that_cannot_be() {
        let long_name = format!("/{}", "n".repeat(256));
        let long_path = "/n".repeat(2047) + "/nn";
        for (path, reason) in [
            ("", "empty"),
            ("/a/../b", "`..`"),
            ("..", "`..`"),
            ("/a\0b", "NUL"),
            ("/TRAILER!!!", "end of an archive"),
            ("./TRAILER!!!/x/..", "`..`"),
            (&long_name, "255"),
            (&long_path, "4095"),
        ] {
            refused(&mut Tree::new(), path, directory(None), reason);
        }

        for path in [&long_name[..256], &long_path[..4096]] {
            Tree::new().insert(path, directory(None)).unwrap();
        }
        Tree::new()
            .insert("/a/TRAILER!!!", directory(None))
            .unwrap();
    }

    #[test]
    fn entries_that_cannot_be() {
        let tree = &mut Tree::new();
        refused(tree, "/", link("x"), "root");
        refused(tree, "/l", link(""), "needs a target");
        refused(tree, "/l", link("a\0b"), "NUL");
        refused(tree, "/l", link(&"x".repeat(4096)), "4095");
        refused(tree, "/d", directory(Some(0o10000)), "10000");
    }

    #[test]
    fn errors_escape_names() {
        let tree = &mut Tree::new();
        tree.insert("/a\nb", link("c\nd")).unwrap();
        refused(tree, "/a\nb/x", link("y"), r"inside /a\x0ab, which");
        refused(
            tree,
            "/a\nb",
            link("y"),
            r"already, as a symbolic link to c\x0ad",
        );
        let file = "h\n".into();
        tree.insert("/h", Entry::new(Kind::HardLink { file }))
            .unwrap();
        refused(tree, "/h", link("y"), r"already, as a hard link to /h\x0a");
        let source = "a\nb".into();
        tree.insert("/f", Entry::new(Kind::File { source }))
            .unwrap();
        refused(tree, "/f", link("x"), r"already, as a file from a\x0ab");
    }

    #[test]
    fn paths_through_links() {
        let mut tree = Tree::new();
        for (path, target) in [
            ("/lib", "usr/lib"),
            ("/usr/lib", "../b/./lib"),
            ("/b/lib", "/c"),
            ("/loop", "loop"),
        ] {
            tree.insert(path, link(target)).unwrap();
        }
        for (path, expected) in [
            ("/lib/modules/x", "c/modules/x"),
            ("/a/lib", "a/lib"),
            ("/lib", "lib"),
            ("/loop/x", "loop/x"),
        ] {
            assert_eq!(tree.through_links(path.as_bytes()), expected);
        }
    }

    #[test]
    fn contradictions() {
        let tree = &mut Tree::new();
        tree.insert("/a/l", link("x")).unwrap();
        tree.insert("/d", directory(Some(0o700))).unwrap();
        refused(tree, "/a/l", link("y"), "already, as a symbolic link to x");
        refused(tree, "/a", link("x"), "already, as a directory");
        refused(
            tree,
            "/d",
            directory(Some(0o755)),
            "already, as a directory with mode 0700",
        );
        refused(
            tree,
            "/a/l/z",
            link("x"),
            "inside /a/l, which is a symbolic link",
        );
    }
}
