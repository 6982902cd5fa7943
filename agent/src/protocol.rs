//! The protocol between boot and the agent, over one stream of bytes in each direction.
//!
//! Both sides send *frames*: a header of 8 bytes (kind, number, length of the payload) and the payload. The
//! agent says [`HELLO`] when it is ready to read. boot answers with [`START`]: the steps that prepare the
//! guest, and the program. Then each side sends data and signals until the agent says [`EXITED`] or
//! [`FAILED`], which is its last frame.
//!
//! The program has three streams, 0 to 2. The reader of a stream grants *credit*, in bytes, and the writer sends
//! no more than that. So a stream that nobody reads delays no other one. Both sides start with the credit
//! [`WINDOW`] for each stream.
//!
//! A channel may be slow from boot to the agent. Then boot offers a file of the host with [`FILE`]. If the agent has opened
//! it, boot writes data of stdin to this file, and sends only [`SEGMENT`].

use core::ffi::CStr;

/// The length of a frame's header: the kind, the number (0 if it has no meaning), two bytes 0, and the
/// length of the payload, in little-endian order.
pub const HEADER: usize = 8;

/// The longest payload.
pub const PAYLOAD: usize = 32 << 10;

/// The agent's first credit for a stream, and the most that boot may send of stdin.
pub const WINDOW: usize = 128 << 10;

/// Agent: it is ready. The payload is [`GREETING`].
pub const HELLO: u8 = b'H';
/// boot: how many bytes of steps follow, a `u32`.
pub const START: u8 = b'S';
/// boot: a piece of the steps, see [`Step`].
pub const STEPS: u8 = b'T';
/// boot: a file of the host: its directory and its name, each with a byte 0 at the end. The agent answers with the same
/// kind; the number is 1 if the agent has opened the file, and 0 if it cannot do that.
pub const FILE: u8 = b'O';
/// boot: data of stdin in that file, see [`Segment`].
pub const SEGMENT: u8 = b'G';
/// Data of the stream `number`.
pub const DATA: u8 = b'D';
/// Credit for the stream `number`: the payload is a `u32`.
pub const CREDIT: u8 = b'C';
/// The stream `number` is closed, by its reader or by its writer.
pub const CLOSE: u8 = b'X';
/// boot: the signal `number` for the program.
pub const SIGNAL: u8 = b'K';
/// boot: the terminal's rows and columns, two `u16`.
pub const SIZE: u8 = b'W';
/// Agent: the program ended. The payload is its wait(2) status, a `u32`.
pub const EXITED: u8 = b'E';
/// Agent: a step failed. The payload is the step's place from 0 and the errno, two `u32`.
pub const FAILED: u8 = b'F';

/// The agent's greeting: the version of the protocol.
pub const GREETING: &[u8] = b"simplest-linux agent 3";

/// The length of a step's beginning: the kind, three bytes 0, the number of strings, and a number (`u64`).
/// Then come the strings, each with its length (`u32`) in front and a byte 0 at the end, which counts.
pub const STEP: usize = 16;

/// mkdir(2) of a path. It may exist.
pub const MKDIR: u8 = b'd';
/// mount(2): source, target, type and data; the number is the flags.
pub const MOUNT: u8 = b'm';
/// symlink(2): target and path. The path may exist.
pub const SYMLINK: u8 = b'l';
/// The path becomes the root, and the current directory.
pub const ROOT: u8 = b'r';
/// chdir(2)
pub const CHDIR: u8 = b'c';
/// Switches the network interface `lo` on. Never fails: a kernel may have no network.
pub const LOOPBACK: u8 = b'n';
/// Gives a network interface an IPv4 address in a network of 24 bits, switches it on, and makes a gateway the default
/// route: the interface's name. The number is the address, and the gateway in the upper half, each with its first byte
/// lowest.
pub const NETWORK: u8 = b'a';
/// Writes a file: path and contents. What was there before is removed.
pub const WRITE: u8 = b'w';
/// setgroups(2) with none, setgid(2), setuid(2), for the program; the number is the user's id, and the group's id
/// in the upper half.
pub const USER: u8 = b'u';
/// The first size of the program's terminal; the number is rows and columns, 16 bits each.
pub const TERMINAL: u8 = b't';
/// The program becomes PID 1, in place of the agent: the paths of the three devices that are its streams. After this step
/// the agent sends nothing, unless the program cannot be executed.
pub const INIT: u8 = b'i';
/// The program's environment.
pub const ENVIRONMENT: u8 = b'e';
/// The paths to execute; the first one that exists counts.
pub const PATHS: u8 = b'p';
/// The program's arguments, with its name. The bits 0 to 2 of the number say which of its streams are a
/// terminal. The last step.
pub const EXECUTE: u8 = b'x';

/// The file in the initramfs with the modules that the agent loads before it opens the channel: their paths, in the order
/// in which to load them, each with a byte 0 at the end.
pub const MODULES: &CStr = c"/modules";

/// Data of stdin in a file. Segments have increasing numbers, and each number is used once: what the guest's cache has of
/// the file is never old.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Its number.
    pub number: u64,
    /// Its length in bytes, at most [`WINDOW`].
    pub length: usize,
}

/// The distance of the beginnings of two segments in the file, in bytes. Much larger than a segment: Linux may read some
/// pages after the end of a segment, and must not read the next one before boot has written it.
pub const STRIDE: u64 = 1 << 20;

/// The length of an encoded [`Segment`]: the number, and the length as a `u32`.
pub const SEGMENT_LENGTH: usize = 12;

impl Segment {
    /// The payload of a frame.
    pub fn encode(self) -> [u8; SEGMENT_LENGTH] {
        let [a, b, c, d, e, f, g, h] = self.number.to_le_bytes();
        let [i, j, k, l] = (self.length as u32).to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    /// The segment in a payload.
    pub fn decode(payload: &[u8]) -> Segment {
        Segment {
            number: u64::from(number(payload, 0)) | (u64::from(number(payload, 4)) << 32),
            length: number(payload, 8) as usize,
        }
    }

    /// Where it begins in the file.
    pub fn place(self) -> u64 {
        self.number.saturating_mul(STRIDE)
    }
}

/// A header.
pub fn header(kind: u8, number: u8, length: usize) -> [u8; HEADER] {
    let [a, b, c, d] = (length as u32).to_le_bytes();
    [kind, number, 0, 0, a, b, c, d]
}

/// The kind, the number and the length of the payload in a header.
pub fn parse_header(bytes: &[u8; HEADER]) -> (u8, u8, usize) {
    let [kind, number, _, _, a, b, c, d] = *bytes;
    (kind, number, u32::from_le_bytes([a, b, c, d]) as usize)
}

/// The number in the four bytes of `bytes` from `at`, or 0.
pub fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}

/// A step, as the agent reads it.
#[derive(Debug)]
pub struct Step<'a> {
    /// [`MKDIR`], ...
    pub kind: u8,
    /// Its number.
    pub number: u64,
    /// How many strings it has.
    pub count: usize,
    /// These strings, encoded.
    pub strings: &'a [u8],
}

/// The first step of `bytes`, and the rest; nothing at the end, or if `bytes` is malformed.
pub fn step(bytes: &[u8]) -> Option<(Step<'_>, &[u8])> {
    let (head, rest) = bytes.split_at_checked(STEP)?;
    let count = number(head, 4) as usize;
    let mut after = rest;
    for _ in 0..count {
        (_, after) = string(after)?;
    }
    let strings = rest.get(..rest.len() - after.len())?;
    let step = Step {
        kind: *head.first()?,
        number: u64::from(number(head, 8)) | (u64::from(number(head, 12)) << 32),
        count,
        strings,
    };
    Some((step, after))
}

/// The first string of `bytes`, with its byte 0, and the rest.
pub fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let (string, rest) = rest.split_at_checked(number(length, 0) as usize)?;
    (string.last() == Some(&0)).then_some((string, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back() {
        assert_eq!(parse_header(&header(DATA, 2, 70_000)), (DATA, 2, 70_000));
    }

    #[test]
    fn a_segment_is_read_back() {
        let segment = Segment {
            number: (7 << 32) | 5,
            length: WINDOW,
        };
        assert_eq!(Segment::decode(&segment.encode()), segment);
        assert_eq!(segment.place(), STRIDE * segment.number);
    }

    #[test]
    fn steps_are_read_one_by_one() {
        let mut bytes = vec![MOUNT, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0];
        bytes.extend(b"\x03\0\0\0ab\0\x01\0\0\0\0");
        bytes.extend([CHDIR; STEP]);
        let (first, rest) = step(&bytes).unwrap();
        assert_eq!(
            (first.kind, first.count, first.number),
            (MOUNT, 2, 1 | (2 << 32))
        );
        let (a, more) = string(first.strings).unwrap();
        let (b, none) = string(more).unwrap();
        assert_eq!((a, b, none), (&b"ab\0"[..], &b"\0"[..], &b""[..]));
        assert_eq!(rest.len(), STEP);
        for length in 0..STEP + 12 {
            assert!(step(&bytes[..length]).is_none(), "{length}");
        }
        // A string must end with a byte 0.
        assert!(string(b"\x01\0\0\0a").is_none());
    }
}
