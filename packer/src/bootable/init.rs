//! Whether there is an init, and whether Linux can execute it.

use super::Check;
use super::Severity::{Error, Note};
use super::contents::Contents;
use crate::escape::escape;
use crate::manifest::ManifestKind;
use crate::rootfs::Found;
use bstr::{BStr, BString, ByteSlice};

/// What Linux runs if it cannot execute the init of the image: `kernel_init()` of init/main.c.
const OTHERS: [&str; 4] = ["/sbin/init", "/etc/init", "/bin/init", "/bin/sh"];

/// Why a program cannot be executed, in words that follow its path; and what to do.
pub(super) type Refusal = (String, String);

impl Check<'_> {
    pub(super) fn init(&mut self) {
        let path = self.conditions.init.clone();
        let found = match self.files.lookup(&path) {
            Ok(found) => found,
            Err(lost) => return self.no_init(&path, lost.to_string()),
        };
        if let Err((problem, advice)) = self.program(path.as_bstr(), found, 0) {
            let other = self.other_init();
            let other = other.map(|other| format!(" (Linux then runs {other})"));
            self.report(Error, &path, problem + &other.unwrap_or_default(), advice);
        }
    }

    /// Without an init, Linux mounts the root file system.
    fn no_init(&mut self, path: &BString, lost: String) {
        let severity = match self.conditions.has_root || self.collection.has_only_early() {
            true => Note,
            false => Error,
        };
        let problem =
            format!("{lost}: Linux then looks for a disk to mount, which root= has to name");
        let advice = format!(
            "pack an init with `packer create --file {}=PROGRAM:0755`, or name another path with rdinit=",
            escape(path)
        );
        self.report(severity, path, problem, advice);
    }

    /// If init cannot be executed, Linux tries other programs. Names the one that then runs.
    fn other_init(&self) -> Option<&'static str> {
        OTHERS.into_iter().find(|other| {
            let found = self.files.lookup(other.as_bytes());
            let mut check = Check {
                findings: Vec::new(),
                empty: Vec::new(),
                ..*self
            };
            let path = other.as_bytes().as_bstr();
            found.is_ok_and(|found| check.program(path, found, 0).is_ok())
                && check
                    .findings
                    .iter()
                    .all(|finding| finding.severity < Error)
        })
    }

    /// Checks a program that Linux executes. `depth` is the number of scripts that it interprets.
    pub(super) fn program(
        &mut self,
        path: &BStr,
        found: Found,
        depth: usize,
    ) -> Result<(), Refusal> {
        let entry = self.files.entry(found.node);
        let shown = match found.real == *path {
            true => String::new(),
            false => format!("leads to {}, which ", escape(&found.real)),
        };
        let refuse =
            |problem: String, advice: &str| Err((shown.clone() + &problem, advice.to_owned()));
        if !matches!(entry.kind, ManifestKind::File { .. }) {
            let kind = entry.kind.file_type().name();
            return refuse(
                format!("is a {kind}, and not a file"),
                "pack a program there",
            );
        }
        if entry.mode & 0o111 == 0 {
            let mode = entry.mode;
            return refuse(
                format!("is not executable: its mode is {mode:04o}"),
                "pack it with mode 0755",
            );
        }
        let Some(contents) = self.collection.contents.get(&found.node).cloned() else {
            self.empty.push(found.node);
            let lone = self.collection.lone_links.iter();
            let lone = lone
                .map(|(path, ..)| path)
                .find(|path| **path == found.real);
            return match lone {
                None => refuse("is empty".into(), "pack the file again"),
                Some(_) => refuse(
                    "is empty, and the archive lacks some of its names (hard links): the contents may be missing with them"
                        .into(),
                    "pack all names of the file, or copies of it",
                ),
            };
        };
        match contents {
            Contents::Script(head) => self
                .script(&found, &head, depth)
                .map_err(|(problem, advice)| (shown + &problem, advice)),
            Contents::Malformed(reason) => refuse(reason, ""),
            Contents::Elf(elf) | Contents::Interpreter(elf, _) => {
                let result = self.elf(&found, &elf);
                result.map_err(|(problem, advice)| (shown + &problem, advice))
            }
            Contents::Large => Ok(()),
            Contents::Configuration(_) | Contents::Other(_) => {
                let first = match &contents {
                    Contents::Other(first) => &first[..],
                    _ => &[],
                };
                let (why, advice) = match first {
                    [0xef, 0xbb, 0xbf, b'#'] => (
                        ": an invisible mark of Unicode (BOM) precedes the `#!`",
                        "remove the first three bytes of the file",
                    ),
                    [b' ' | b'\t' | b'\n' | b'\r', ..] => (
                        ": its first byte is white space, but `#!` has to be at the very beginning",
                        "remove the white space",
                    ),
                    [b'#', b' ', b'!', ..] => {
                        (": its first bytes are `# !`, with a blank", "write `#!`")
                    }
                    _ => (
                        "; only a shell would run such a file",
                        "begin a script with `#!/bin/sh`, or pack a program",
                    ),
                };
                refuse(
                    format!("is neither an ELF program nor a script with `#!`{why}"),
                    advice,
                )
            }
        }
    }
}
