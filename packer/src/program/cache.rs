//! Writes an ld.so.cache in the format of glibc 2.2 and newer: `struct cache_file_new` of glibc's
//! sysdeps/generic/dl-cache.h.
//!
//! ld.so looks in `/lib`, `/usr/lib` and the like on its own. It knows the directories of /etc/ld.so.conf
//! only from this file.

use super::elf::Architecture;
use bstr::{BString, ByteSlice};
use object::elf::{
    EM_386, EM_AARCH64, EM_LOONGARCH, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, Machine,
};
use std::cmp::Ordering;
use std::collections::BTreeMap;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// `MAGIC`, and seven more words.
const HEADER: usize = 48;
/// Flags, the offsets of the name and the path, the version of the kernel, and 8 bytes for the CPU.
const ENTRY: usize = 24;

/// `FLAG_ELF_LIBC6`: a library for a glibc that is not older than 1997.
const LIBC6: u32 = 3;

/// A cache with the paths of libraries by their names.
pub(super) fn write(
    architecture: Architecture,
    libraries: &BTreeMap<BString, BString>,
) -> Result<Vec<u8>, String> {
    let flags = flags(architecture).ok_or_else(|| {
        format!(
            "a library is found through /etc/ld.so.conf only, which the guest needs this file for, and packer \
             cannot write it for {architecture}; put the library into /usr/lib"
        )
    })?;
    let word = |value: usize| {
        let value = value as u32;
        match architecture.is_big_endian {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        }
    };
    let mut libraries: Vec<_> = libraries.iter().collect();
    // ld.so searches by halves, and takes the largest name for the first.
    libraries.sort_by(|(one, _), (other, _)| compare(other, one));
    let strings_at = HEADER + ENTRY * libraries.len();
    let mut entries = Vec::new();
    let mut strings = Vec::new();
    for (name, path) in &libraries {
        entries.extend(word(flags as usize));
        for text in [name, path] {
            entries.extend(word(strings_at + strings.len()));
            strings.extend_from_slice(text);
            strings.push(0);
        }
        entries.extend([0; 12]);
    }
    let mut cache = MAGIC.to_vec();
    cache.extend(word(libraries.len()));
    cache.extend(word(strings.len()));
    // The byte order: cache_file_new_flags_endian_*.
    cache.push(if architecture.is_big_endian { 3 } else { 2 });
    cache.resize(HEADER, 0);
    cache.extend(entries);
    cache.extend(strings);
    Ok(cache)
}

/// `_DL_CACHE_DEFAULT_ID` of the architecture.
fn flags(architecture: Architecture) -> Option<u32> {
    Some(
        LIBC6
            | match (Machine(architecture.machine), architecture.is_64) {
                (EM_386, false) => 0,
                (EM_S390, true) => 0x0400,
                (EM_PPC64, true) => 0x0500,
                (EM_X86_64, true) => 0x0300,
                (EM_X86_64, false) => 0x0800,
                (EM_AARCH64, true) => 0x0a00,
                // With floating point in registers of 64 bits, as all distributions.
                (EM_RISCV, true) => 0x1000,
                (EM_LOONGARCH, true) => 0x1200,
                _ => return None,
            },
    )
}

/// `_dl_cache_libcmp`: numbers in the names are compared as numbers.
fn compare(mut one: &[u8], mut other: &[u8]) -> Ordering {
    loop {
        let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let order = match (digits(one), digits(other)) {
            (0, 0) => match (one.split_first(), other.split_first()) {
                (Some((first, one_rest)), Some((second, other_rest))) => {
                    (one, other) = (one_rest, other_rest);
                    first.cmp(second)
                }
                (first, second) => return first.is_some().cmp(&second.is_some()),
            },
            (one_digits, other_digits) if one_digits == 0 || other_digits == 0 => {
                return one_digits.cmp(&other_digits);
            }
            (one_digits, other_digits) => {
                let (first, second) = (&one[..one_digits], &other[..other_digits]);
                (one, other) = (&one[one_digits..], &other[other_digits..]);
                let (first, second) = (significant(first), significant(second));
                first.len().cmp(&second.len()).then(first.cmp(second))
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn significant(digits: &[u8]) -> &[u8] {
    digits.trim_start_with(|c| c == '0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        for (less, more) in [
            ("liba.so.9", "liba.so.10"),
            ("liba.so", "liba.so.1"),
            ("liba.so", "libb.so"),
            ("lib-", "lib1"),
            ("liba1b", "liba01c"),
        ] {
            assert_eq!(
                compare(less.as_bytes(), more.as_bytes()),
                Ordering::Less,
                "{less} {more}"
            );
            assert_eq!(compare(more.as_bytes(), less.as_bytes()), Ordering::Greater);
            assert_eq!(compare(less.as_bytes(), less.as_bytes()), Ordering::Equal);
        }
    }

    #[test]
    fn every_byte() {
        let architecture = Architecture {
            machine: 62,
            is_64: true,
            is_big_endian: false,
        };
        let libraries = [("a.9", "/x/a.9"), ("a.10", "/y/a.10")];
        let libraries = libraries.map(|(name, path)| (name.into(), path.into()));
        let words = |words: &[u32]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        let expected = [
            b"glibc-ld.so.cache1.1".to_vec(),
            words(&[2, 24, 2, 0, 0, 0, 0]),
            words(&[0x303, 96, 101, 0, 0, 0]),
            words(&[0x303, 109, 113, 0, 0, 0]),
            b"a.10\0/y/a.10\0a.9\0/x/a.9\0".to_vec(),
        ];
        assert_eq!(
            write(architecture, &libraries.into()).unwrap(),
            expected.concat()
        );
    }
}
