//! Reads a log to its end.

use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;

use crate::explain::{Boot, Explainer};
use crate::verdict::judge::{Ending, Goal};

/// The longest piece of a line, in bytes.
pub(super) const LINE: u64 = 64 << 10;

/// The boots in `log`, which may be compressed by gzip. Fails if it cannot be read, or if it is empty, in UTF-16, or
/// compressed by zstd or xz.
pub fn read(log: impl Read, goal: Goal) -> io::Result<Vec<Boot>> {
    let mut log = BufReader::with_capacity(LINE as usize, log);
    let beginning = log.fill_buf()?;
    let unusable = match beginning {
        [] => Some("it is empty"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("it is in UTF-16; `iconv -f UTF-16 -t UTF-8` converts it")
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Some("it is compressed by zstd; `zstdcat FILE | boot explain` reads it")
        }
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            Some("it is compressed by xz; `xzcat FILE | boot explain` reads it")
        }
        _ => None,
    };
    if let Some(why) = unusable {
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let mut explainer = Explainer::new(goal);
    match beginning {
        [0x1f, 0x8b, ..] => {
            let log = MultiGzDecoder::new(log);
            let mut log = BufReader::with_capacity(LINE as usize, log);
            feed(&mut log, &mut explainer)?
        }
        _ => feed(&mut log, &mut explainer)?,
    }
    Ok(explainer.end(Ending::LogEnded))
}

/// Takes each line. It is not generic, because generic code is compiled with the program, which is not optimised
/// (nix/rust/workspace.nix).
fn feed(mut log: &mut dyn BufRead, explainer: &mut Explainer) -> io::Result<()> {
    let newline = newline(log.fill_buf()?);
    let mut line = Vec::new();
    loop {
        line.clear();
        (&mut log).take(LINE).read_until(newline, &mut line)?;
        match line.split_last() {
            None => return Ok(()),
            Some((last, line)) if *last == newline => explainer.take(line, true),
            Some(_) => explainer.take(&line, false),
        }
    }
}

/// The byte that ends lines. Some programs write only carriage returns. One or two may be those of a progress in the first line.
fn newline(beginning: &[u8]) -> u8 {
    let count = |byte| beginning.iter().filter(|other| **other == byte).count();
    match count(b'\n') == 0 && count(b'\r') > 2 {
        true => b'\r',
        false => b'\n',
    }
}
