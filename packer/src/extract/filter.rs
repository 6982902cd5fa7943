//! A set of files of a fixed size, which may be wrong: a Bloom filter.

use super::node::Identity;
use bstr::BStr;
use std::hash::{BuildHasher, RandomState};

/// 4 MiB. With two million files, one of 400 questions about other files gets the wrong answer.
const WORDS: usize = 1 << 19;

/// The bits for each file, all in one word.
const BITS: u32 = 4;

/// Files, each at its path.
pub(super) struct Filter {
    words: Box<[u64]>,
    /// With random keys: no image is made for collisions.
    hasher: RandomState,
}

impl Default for Filter {
    /// Without files.
    fn default() -> Self {
        Self {
            words: vec![0; WORDS].into(),
            hasher: RandomState::new(),
        }
    }
}

impl Filter {
    pub fn add(&mut self, path: &BStr, identity: Identity) {
        let (word, bits) = self.place(path, identity);
        self.words[word] |= bits;
    }

    /// True for each file that was added, and for few others.
    pub fn may_have(&self, path: &BStr, identity: Identity) -> bool {
        let (word, bits) = self.place(path, identity);
        self.words[word] & bits == bits
    }

    fn place(&self, path: &BStr, identity: Identity) -> (usize, u64) {
        let hash = self.hasher.hash_one((path, identity));
        let bit = |number| 1_u64 << ((hash >> (6 * number)) & 63);
        let bits = (0..BITS).fold(0, |bits, number| bits | bit(number));
        ((hash >> 32) as usize % WORDS, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bstr::ByteSlice;

    #[test]
    fn few_answers_are_wrong() {
        let file = std::fs::File::open("/").unwrap();
        let identity = Identity::of(file).unwrap();
        let mut filter = Filter::default();
        let path = |number: usize| format!("/directory/{number}");
        let files = WORDS * 4;
        for number in 0..files {
            filter.add(path(number).as_bytes().as_bstr(), identity);
        }
        let found = |numbers: std::ops::Range<usize>| {
            let has =
                |number: &usize| filter.may_have(path(*number).as_bytes().as_bstr(), identity);
            numbers.filter(has).count()
        };
        assert_eq!(found(0..10_000), 10_000);
        let wrong = found(files..files + 100_000);
        assert!(wrong < 1000, "{wrong}");
    }
}
