//! Patterns that select paths, as in a shell.
//!
//! | Pattern | Matches |
//! | --- | --- |
//! | `*` | any characters, or none |
//! | `?` | one character |
//! | `[a-z_]` | one of these characters |
//! | `[!a-z_]`, `[^a-z_]` | one other character |
//! | `\` | the next character of the pattern, without a special meaning |
//!
//! As for cpio(1) and bsdtar(1), all of these can match a `/`, too. It does not matter whether a pattern begins
//! with `/` or `./`, and whether it ends in `/`.
//!
//! ```
//! use packer::pattern::Pattern;
//!
//! let pattern = Pattern::parse(b"*.ko")?;
//! assert!(pattern.selects(b"/lib/modules/fat.ko"));
//! assert!(!pattern.selects(b"/init"));
//! # Ok::<(), packer::Error>(())
//! ```

use crate::Error;
use crate::paths::names;
use bstr::BString;

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: BString,
    parts: Vec<Part>,
}

/// A character. A byte that is not UTF-8 counts as a character, too, behind those of Unicode.
type Character = u32;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `*`
    Any,
    /// `?`
    One,
    Exactly(Character),
    /// The first and the last character of each range.
    Class {
        is_negated: bool,
        ranges: Vec<(Character, Character)>,
    },
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`Error::At`] with the pattern if it is empty, or if it ends within a `[...]` or after a `\`.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        if text.is_empty() {
            let reason = "an empty pattern matches nothing; name a path, or `*` for all";
            return Err(Error::entry(text, reason));
        }
        let normal = bstr::join("/", names(text));
        let parts = parts(&characters(&normal)).map_err(|reason| Error::entry(text, reason))?;
        let text = text.into();
        Ok(Self { text, parts })
    }

    /// Whether the pattern matches `path` or one of its parent directories.
    pub fn selects(&self, path: &[u8]) -> bool {
        let path = characters(&bstr::join("/", names(path)));
        let ends = (0..path.len()).filter(|&end| end == 0 || path[end] == SLASH);
        ends.chain([path.len()])
            .any(|end| matches(&self.parts, &path[..end]))
    }

    /// Whether the pattern matches `path`, or the part of it that begins after one of its `/`. A pattern that
    /// begins with `/` must match the whole path.
    pub fn ends(&self, path: &[u8]) -> bool {
        let path = characters(&bstr::join("/", names(path)));
        let is_whole = self.text.starts_with(b"/");
        let starts = (1..path.len()).filter(|&start| !is_whole && path[start - 1] == SLASH);
        let mut starts = starts.chain([0]);
        starts.any(|start| matches(&self.parts, &path[start..]))
    }
}

/// Several patterns, which know whether they have matched.
#[derive(Clone, Debug, Default)]
pub struct Selection(Vec<(Pattern, bool)>);

impl Selection {
    /// Selects what one of `patterns` selects. Without patterns, selects everything.
    pub fn new(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let patterns = patterns.into_iter();
        Self(patterns.map(|pattern| (pattern, false)).collect())
    }

    /// Whether one of the patterns matches `path` or one of its parent directories.
    pub fn selects(&mut self, path: &[u8]) -> bool {
        let mut is_selected = self.0.is_empty();
        for (pattern, has_matched) in &mut self.0 {
            if pattern.selects(path) {
                (*has_matched, is_selected) = (true, true);
            }
        }
        is_selected
    }

    /// An [`Error::At`] for each pattern that has matched no path.
    pub fn unmatched(&self) -> impl Iterator<Item = Error> {
        let unmatched = self.0.iter().filter(|(_, has_matched)| !has_matched);
        unmatched.map(|(pattern, _)| Error::entry(&pattern.text, "matches no entry of the image"))
    }
}

const SLASH: Character = '/' as Character;

fn characters(bytes: &[u8]) -> Vec<Character> {
    let mut characters = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        characters.extend(chunk.valid().chars().map(Character::from));
        let invalid = chunk.invalid().iter();
        characters.extend(invalid.map(|&byte| Character::from(char::MAX) + 1 + u32::from(byte)));
    }
    characters
}

fn parts(pattern: &[Character]) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = pattern.iter().copied();
    while let Some(character) = rest.next() {
        parts.push(match char::from_u32(character) {
            Some('*') => Part::Any,
            Some('?') => Part::One,
            Some('[') => class(&mut rest)?,
            Some('\\') => Part::Exactly(rest.next().ok_or(LAST_BACKSLASH)?),
            _ => Part::Exactly(character),
        });
    }
    Ok(parts)
}

const LAST_BACKSLASH: &str = "ends in a `\\`; write `\\\\` for the character itself";
const NO_END: &str = "has a `[` without a `]`; write `\\[` for the character itself";

/// Parses a class after its `[`. As in POSIX, a `]` at its start is one of the characters.
fn class(rest: &mut impl Iterator<Item = Character>) -> Result<Part, &'static str> {
    let is = |character: Character, expected: char| character == Character::from(expected);
    let mut next = || rest.next().ok_or(NO_END);
    let mut character = next()?;
    let is_negated = is(character, '!') || is(character, '^');
    if is_negated {
        character = next()?;
    }
    let mut ranges: Vec<(Character, Character)> = Vec::new();
    // Whether the last range is a single character with a `-` behind it.
    let mut is_open = false;
    loop {
        let literal = match is(character, '\\') {
            true => next()?,
            false => character,
        };
        if is_open {
            is_open = false;
            if is(character, ']') {
                // The `-` before the `]` is a character.
                ranges.push(('-'.into(), '-'.into()));
                return Ok(Part::Class { is_negated, ranges });
            }
            if let Some((_, last)) = ranges.last_mut() {
                *last = literal;
            }
        } else if is(character, ']') && !ranges.is_empty() {
            return Ok(Part::Class { is_negated, ranges });
        } else if is(character, '-') && !ranges.is_empty() {
            is_open = true;
        } else {
            ranges.push((literal, literal));
        }
        character = next()?;
    }
}

impl Part {
    fn matches(&self, character: Character) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Exactly(expected) => character == *expected,
            Self::Class { is_negated, ranges } => {
                let mut ranges = ranges.iter();
                let is_in = ranges.any(|&(first, last)| (first..=last).contains(&character));
                is_in != *is_negated
            }
        }
    }
}

/// Whether the parts match the whole text. The time is at most proportional to the product of their lengths, because
/// if a match fails, only the last `*` needs to match more.
fn matches(parts: &[Part], text: &[Character]) -> bool {
    let (mut part, mut position) = (0, 0);
    // The part after the last `*`, and where its text begins.
    let mut last_any = None;
    loop {
        match (parts.get(part), text.get(position)) {
            (None, None) => return true,
            (Some(Part::Any), _) => {
                part += 1;
                last_any = Some((part, position));
            }
            (Some(one), Some(&character)) if one.matches(character) => {
                part += 1;
                position += 1;
            }
            _ => match &mut last_any {
                Some((after, start)) if *start < text.len() => {
                    *start += 1;
                    (part, position) = (*after, *start);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &[u8]) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn one_path() {
        for (text, matching, others) in [
            (
                "etc",
                &["/etc", "etc/passwd", "./etc/"][..],
                &["/etc2", "/x/etc"][..],
            ),
            ("/etc/", &["/etc", "/etc/a/b"], &["/et"]),
            ("/", &["/", "/etc"], &[]),
            (
                "*.ko",
                &["/a.ko", "/lib/b.ko", "/x.ko/y"],
                &["/a.ko2", "/ko"],
            ),
            ("lib/*/a", &["/lib/b/a", "/lib/b/c/a"], &["/lib/a"]),
            ("*a*b*", &["/ab", "/xaxbx", "/bab"], &["/ba", "/a", "/"]),
            ("*", &["/", "/a", "/a/b"], &[]),
            ("a?c", &["/abc", "/aéc", "/a/c"], &["/ac", "/abbc"]),
            ("[a-c]x", &["/ax", "/cx"], &["/dx", "/x", "/-x"]),
            ("[!a-c]x", &["/dx", "/éx"], &["/ax", "/x"]),
            ("[^a]", &["/b"], &["/a"]),
            ("[]-]", &["/]", "/-"], &["/a"]),
            ("[a-]", &["/a", "/-"], &["/b"]),
            (r"[\]a]", &["/]", "/a"], &["/b"]),
            (r"\*\?\[", &["/*?["], &["/a?[", r"/\*\?\["]),
            ("[à-é]", &["/é"], &["/z"]),
        ] {
            let pattern = pattern(text.as_bytes());
            for path in matching {
                assert!(pattern.selects(path.as_bytes()), "{text} {path}");
            }
            for path in others {
                assert!(!pattern.selects(path.as_bytes()), "{text} {path}");
            }
        }
    }

    #[test]
    fn bytes_that_are_not_text() {
        assert!(pattern(b"?\xff*").selects(b"/\xc3\xff\x00"));
        assert!(!pattern(b"\xff").selects(b"/\xfe"));
        assert!(!pattern("\u{ff}".as_bytes()).selects(b"/\xff"));
    }

    #[test]
    fn the_end_of_a_path() {
        for (text, matching, others) in [
            (
                ".git",
                &["/.git", "/a/.git"][..],
                &["/.git/config", "/x.git"][..],
            ),
            ("*.o", &["/a.o", "/b/a.o"], &["/a.o/b"]),
            ("a/b", &["/a/b", "/x/a/b"], &["/xa/b", "/b"]),
            ("/a", &["/a"], &["/b/a"]),
        ] {
            let pattern = pattern(text.as_bytes());
            for path in matching {
                assert!(pattern.ends(path.as_bytes()), "{text} {path}");
            }
            for path in others {
                assert!(!pattern.ends(path.as_bytes()), "{text} {path}");
            }
        }
    }

    #[test]
    fn malformed() {
        for (text, expected) in [
            ("", "\"\": an empty pattern matches nothing"),
            ("a[b", "a[b: has a `[` without a `]`; write `\\[`"),
            ("[]", "[]: has a `[` without a `]`"),
            ("[a-", "[a-: has a `[` without a `]`"),
            ("a\\", "a\\\\: ends in a `\\`"),
        ] {
            let error = Pattern::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_selection_knows_what_matched_nothing() {
        let mut selection = Selection::new([pattern(b"a"), pattern(b"b"), pattern(b"a*")]);
        assert!(selection.selects(b"/a"));
        assert!(!selection.selects(b"/c"));
        let unmatched: Vec<_> = selection
            .unmatched()
            .map(|error| error.to_string())
            .collect();
        assert_eq!(unmatched, ["b: matches no entry of the image"]);
        let mut all = Selection::default();
        assert!(all.selects(b"/a"));
        assert_eq!(all.unmatched().count(), 0);
    }

    /// Backtracking into each `*` would take years.
    #[test]
    fn many_asterisks_take_little_time() {
        let text = ["*a".repeat(1000), "b".into()].concat();
        let path = "a".repeat(4000);
        assert!(!pattern(text.as_bytes()).selects(path.as_bytes()));
    }
}
