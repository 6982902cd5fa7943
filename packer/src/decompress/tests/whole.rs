//! Members that are whole.

use super::*;
use std::io::BufReader;

#[test]
fn the_first_two_bytes_tell_the_format() {
    for member in MEMBERS {
        let bytes = bytes(member.hex);
        assert_eq!(detect(&bytes), Some(member.format), "{}", member.made_by);
        assert_eq!(detect(&bytes[..2]), Some(member.format));
        assert_eq!(detect(&bytes[..1]), None);
    }
    for (start, format) in [
        (&b"\x1f\x9e\x08"[..], "gzip"),
        (b"BZh9", "bzip2"),
        (b"]\0\0\x80\0", "lzma"),
        (b"\x89LZO\0", "lzo"),
        (b"\x02\x21L\x18", "lz4"),
    ] {
        assert_eq!(detect(start).unwrap().to_string(), format);
    }
    for start in [&b""[..], b"0", b"070701", b"\0\0\0\0\0\0", b"\x1f\x8c"] {
        assert_eq!(detect(start), None);
    }
}

#[test]
fn what_follows_a_member_is_left() {
    for member in MEMBERS {
        for rest in [&b""[..], b"\0\0\0\x00070701", &bytes(member.hex)] {
            let input = [&bytes(member.hex)[..], rest].concat();
            // The result must not depend on how the input is divided into reads.
            for capacity in [1, 2, 3, 5, 7, 11, 13, 1000] {
                let input = BufReader::with_capacity(capacity, &input[..]);
                let mut decoder = Decoder::new(member.format, input).unwrap();
                let mut text = String::new();
                decoder.read_to_string(&mut text).unwrap();
                assert_eq!(text, member.text, "{}", member.made_by);
                assert_eq!(decoder.read(&mut [0; 10]).unwrap(), 0);

                let mut left = Vec::new();
                decoder.into_inner().read_to_end(&mut left).unwrap();
                assert_eq!(left, rest, "{}, {capacity}", member.made_by);
            }
        }
    }
}

#[test]
fn byte_by_byte() {
    for member in MEMBERS {
        let bytes = bytes(member.hex);
        let mut decoder = Decoder::new(member.format, &bytes[..]).unwrap();
        assert_eq!(decoder.read(&mut []).unwrap(), 0);
        for byte in member.text.bytes() {
            assert_eq!(decoder.read(&mut []).unwrap(), 0);
            let mut read = [0];
            assert_eq!(decoder.read(&mut read).unwrap(), 1);
            assert_eq!(read, [byte]);
        }
        assert_eq!(decoder.read(&mut [0]).unwrap(), 0);
    }
}
