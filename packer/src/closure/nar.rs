//! The hash and the size of a NAR, Nix's own archive of a store object.

use super::store_path::BASE32;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::path::Path;

/// Hash and size of a NAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nar {
    pub sha256: [u8; 32],
    /// Size in bytes.
    pub size: u64,
}

impl Nar {
    /// Hashes the NAR of the file, directory or symbolic link at `path`.
    pub fn of(path: &Path) -> Result<Self, nix_archive::nar::Error> {
        use nix_archive::nar::{CaseHack, hash_path};
        // The hack is only for file systems that do not distinguish `a` from `A`, as on macOS.
        let (size, sha256) = hash_path(path, CaseHack::Disabled)?.into_parts();
        Ok(Self { sha256, size })
    }

    /// The hash as SRI.
    pub fn sri(&self) -> String {
        format!("sha256-{}", STANDARD.encode(self.sha256))
    }
}

impl fmt::Display for Nar {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}, {} bytes", self.sri(), self.size)
    }
}

/// Parses a SHA-256 in any form that Nix writes: SRI, or `sha256:` and base 16, 32 or 64, which differ in
/// length.
pub(super) fn parse_sha256(text: &str) -> Option<[u8; 32]> {
    let base64 = |digits: &str| STANDARD.decode(digits).ok()?.try_into().ok();
    if let Some(digits) = text.strip_prefix("sha256-") {
        return base64(digits);
    }
    let digits = text.strip_prefix("sha256:")?;
    match digits.len() {
        64 => base16(digits),
        52 => base32(digits),
        44 => base64(digits),
        _ => None,
    }
}

fn base16(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        for &digit in pair {
            *byte = (*byte << 4) | char::from(digit).to_digit(16)? as u8;
        }
    }
    Some(bytes)
}

/// Parses Nix's base 32. The digits are one number with the most significant digit first. Its bytes have the
/// least significant byte first.
fn base32(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (position, digit) in digits.bytes().rev().enumerate() {
        let value = BASE32.iter().position(|&known| known == digit)?;
        let shifted = (value as u16) << (position * 5 % 8);
        for (byte, part) in (position * 5 / 8..).zip(shifted.to_le_bytes()) {
            match bytes.get_mut(byte) {
                Some(byte) => *byte |= part,
                // 52 digits have 4 bits more than 32 bytes.
                None if part == 0 => {}
                None => return None,
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same hash from `nix hash to-base16`, `to-base32` and `to-sri`.
    #[test]
    fn every_form_is_the_same_hash() {
        let hash = [
            "sha256-1p1dAqqQ3yUR3UiA23QubW4ePc+6z/oB9/49zBrZy7M=",
            "sha256:1p1dAqqQ3yUR3UiA23QubW4ePc+6z/oB9/49zBrZy7M=",
            "sha256:1cybv4dcqggyyw0zmkxsrwyiwvkd5rsdp028vl8jbpwhm815v7fn",
            "sha256:d69d5d02aa90df2511dd4880db742e6d6e1e3dcfbacffa01f7fe3dcc1ad9cbb3",
        ]
        .map(|text| parse_sha256(text).unwrap_or_else(|| panic!("{text}")));
        assert_eq!(hash, [hash[0]; 4]);
        let nar = Nar {
            sha256: hash[0],
            size: 120,
        };
        let text = "sha256-1p1dAqqQ3yUR3UiA23QubW4ePc+6z/oB9/49zBrZy7M=, 120 bytes";
        assert_eq!(nar.to_string(), text);
    }

    #[test]
    fn what_is_not_a_sha256() {
        for text in [
            "",
            "sha256:",
            "sha512-1p1dAqqQ3yUR3UiA23QubW4ePc+6z/oB9/49zBrZy7M=",
            "sha256-1p1dAqqQ3yUR3UiA23QubW4ePc+6z/oB9/49zBrZy7M",
            "sha256-AAAA",
            "sha256:zcybv4dcqggyyw0zmkxsrwyiwvkd5rsdp028vl8jbpwhm815v7fn",
            "sha256:ecybv4dcqggyyw0zmkxsrwyiwvkd5rsdp028vl8jbpwhm815v7fn",
            "sha256:+69d5d02aa90df2511dd4880db742e6d6e1e3dcfbacffa01f7fe3dcc1ad9cbb3",
        ] {
            assert_eq!(parse_sha256(text), None, "{text}");
        }
    }
}
