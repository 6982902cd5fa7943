//! The syntax of store paths, as in the section "Store Path" of the Nix manual.

use crate::escape::escape;

/// The digits of Nix's base 32, by value. They lack e, o, t and u.
pub(crate) const BASE32: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// The number of [`BASE32`] digits for 160 bits.
const DIGEST_LEN: usize = 32;
const NAME_MAX: usize = 211;

/// Whether this is the last part of a store path: a digest, a dash and a name.
pub(crate) fn is_name(text: &[u8]) -> bool {
    let Some((digest, [b'-', name @ ..])) = text.split_at_checked(DIGEST_LEN) else {
        return false;
    };
    digest.iter().all(|digit| BASE32.contains(digit))
        && (1..=NAME_MAX).contains(&name.len())
        && name
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || b"+-._?=".contains(c))
}

/// Splits a store path into its store directory and its last part.
pub(super) fn split(path: &[u8]) -> Result<(&str, &str), String> {
    let parts = std::str::from_utf8(path)
        .ok()
        .and_then(|text| text.rsplit_once('/'))
        .filter(|(store, name)| is_directory(store) && is_name(name.as_bytes()));
    parts.ok_or_else(|| {
        format!(
            "`{}` is not a store path such as /nix/store/HASH-NAME",
            escape(path)
        )
    })
}

/// Whether this is an absolute path other than the root, without `.`, `..` and empty names.
fn is_directory(text: &str) -> bool {
    let part = |part| !matches!(part, "" | "." | "..");
    text.strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "ic1iym50wnz98avdqkf47pjjkbyzc6ys-a-file";

    #[test]
    fn names() {
        let digest = &NAME[..32];
        for name in ["x", "a+b-c.d_e?f=g", "-", &"n".repeat(211)] {
            assert!(is_name(format!("{digest}-{name}").as_bytes()), "{name}");
        }
        for name in ["", "a b", "a/b", "a~b", "größe", "a\n", &"n".repeat(212)] {
            assert!(!is_name(format!("{digest}-{name}").as_bytes()), "{name}");
        }
        for text in [
            "",
            digest,
            &NAME[1..],
            &NAME.replace("ic1", "ec1"),
            &NAME.replace('-', "_"),
        ] {
            assert!(!is_name(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn paths() {
        for store in ["/nix/store", "/s", "/with blank/gr\u{f6}\u{df}e"] {
            let path = format!("{store}/{NAME}");
            assert_eq!(split(path.as_bytes()), Ok((store, NAME)));
        }
        for store in [
            "",
            "nix/store",
            "/nix//store",
            "/nix/./store",
            "/nix/../store",
            "/nix/",
        ] {
            let path = format!("{store}/{NAME}");
            let error = split(path.as_bytes()).unwrap_err();
            assert_eq!(
                error,
                format!("`{path}` is not a store path such as /nix/store/HASH-NAME")
            );
        }
        assert!(split(format!("/nix/store/{NAME}/").as_bytes()).is_err());
        assert!(split(b"/\xff/ic1iym50wnz98avdqkf47pjjkbyzc6ys-a").is_err());
        assert!(split(NAME.as_bytes()).is_err());
    }
}
