//! The plain form of a graph, which `exportReferencesGraph` leaves in a build's directory.
//!
//! It is the format that `nix-store --register-validity` reads, without hashes. For each store object, it has
//! a line for the path, a line for the deriver, which may be empty, a line for the number of references, and a
//! line for each reference.

use super::{Object, Objects, add, store_path};
use crate::escape::escape;
use bstr::ByteSlice;

/// Parses a graph. An error has the number of the line.
pub(super) fn parse(bytes: &[u8]) -> Result<Objects, (usize, String)> {
    let mut objects = Objects::new();
    let mut lines = Lines::new(bytes);
    while !lines.rest.is_empty() {
        let path = lines.next("a store path", store_path)?;
        lines.next(
            "an empty line, or the path of the deriver",
            |line| match line {
                b"" => Ok(String::new()),
                // The form with hashes has the deriver here.
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
    /// The number of the last line that was taken, from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, number: 0 }
    }

    /// Takes and parses a line. `what` names the expected contents in an error.
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
