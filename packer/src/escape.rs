//! Escaped names: text that is safe to print, legible, and convertible back into the same bytes.
//!
//! ```
//! use packer::escape::{escape, unescape};
//!
//! let text = escape(b"a\n\xff").to_string();
//! assert_eq!(text, r"a\x0a\xff");
//! assert_eq!(unescape(&text), b"a\n\xff");
//! ```

use bstr::ByteVec;
use std::fmt::{self, Display, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Writes each byte of a control character, and each byte that is not UTF-8, as `\xNN`, and a backslash
/// as `\\`. Leaves everything else unchanged.
pub fn escape(bytes: &[u8]) -> impl Display {
    Escaped(bytes)
}

/// As [`escape`], for a path of this machine.
pub fn escape_path(path: &Path) -> impl Display {
    Escaped(path.as_os_str().as_bytes())
}

/// The bytes for which [`escape`] gives `text`.
pub fn unescape(text: &str) -> Vec<u8> {
    Vec::unescape_bytes(text)
}

struct Escaped<'a>(&'a [u8]);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    c if c.is_control() => hexadecimal(c.encode_utf8(&mut [0; 4]).as_bytes(), f)?,
                    c => f.write_char(c)?,
                }
            }
            hexadecimal(chunk.invalid(), f)?;
        }
        Ok(())
    }
}

fn hexadecimal(bytes: &[u8], f: &mut fmt::Formatter) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (bytes, text) in [
            (&b"/usr/bin/a b"[..], "/usr/bin/a b"),
            ("/größe".as_bytes(), "/größe"),
            (b"a\nb\0", r"a\x0ab\x00"),
            (b"\xffa\xc3", r"\xffa\xc3"),
            (b"\xc2\x9b31m\x1b", r"\xc2\x9b31m\x1b"),
            (br"a\x41", r"a\\x41"),
            (b"", ""),
        ] {
            assert_eq!(escape(bytes).to_string(), text);
            assert_eq!(unescape(text), bytes);
        }
    }
}
