//! The plain form of a graph, which `exportReferencesGraph` leaves in a build's directory.
//!
//! It is what `nix-store --register-validity` reads, without hashes. For each store object there are
//! its path, its deriver or an empty line, the number of its references, and these, each on a line.

use super::{Object, Objects, add, store_path};
use crate::escape::escape;
use bstr::ByteSlice;

/// The objects; or what is wrong, and on which line.
pub(super) fn parse(bytes: &[u8]) -> Result<Objects, (usize, String)> {
    let mut objects = Objects::new();
    let mut lines = Lines::new(bytes);
    while !lines.rest.is_empty() {
        let path = lines.next("a store path", store_path)?;
        lines.next(
            "an empty line, or the path of the deriver",
            |line| match line {
                b"" => Ok(String::new()),
                // The form with hashes has one here.
                line => store_path(line),
            },
        )?;
        let count = lines.next("the number of references", |line| {
            let digits = line.iter().all(u8::is_ascii_digit).then_some(line);
            let digits = digits.and_then(|digits| digits.to_str().ok());
            let count = digits.and_then(|digits| digits.parse::<usize>().ok());
            count.ok_or_else(|| format!("`{}` is not a number of references", escape(line)))
        })?;
        let references = (0..count)
            .map(|_| lines.next("a reference", store_path))
            .collect::<Result<_, _>>()?;
        let object = Object {
            references,
            nar: None,
        };
        let number = lines.number;
        add(&mut objects, path, object).map_err(|reason| (number, reason))?;
    }
    Ok(objects)
}

fn store_path(line: &[u8]) -> Result<String, String> {
    store_path::split(line).map(|(store, name)| format!("{store}/{name}"))
}

struct Lines<'a> {
    rest: &'a [u8],
    /// Of the line that was taken last, from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, number: 0 }
    }

    /// Takes a line, which should be `what`.
    fn next<T>(
        &mut self,
        what: &str,
        parse: impl FnOnce(&'a [u8]) -> Result<T, String>,
    ) -> Result<T, (usize, String)> {
        self.number += 1;
        let Some((line, rest)) = self.rest.split_once_str("\n") else {
            return Err((self.number, format!("ends where {what} should be")));
        };
        self.rest = rest;
        parse(line).map_err(|reason| (self.number, reason))
    }
}
