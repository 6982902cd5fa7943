//! Members that gzip, zstd, xz, bzip2 and lzop made, whole and broken.

use super::*;
use std::io::{BufReader, ErrorKind};

struct Member {
    /// The command that made it.
    made_by: &'static str,
    format: Format,
    text: &'static str,
    hex: &'static str,
}

const TEXT: &str = "kernel kernel kernel\n";

const MEMBERS: [Member; 18] = [
    Member {
        made_by: "gzip -9n",
        format: Format::Gzip,
        text: TEXT,
        hex: "1f8b0800000000000203cb4e2dca4bcd51c846a6b8006171d99b15000000",
    },
    Member {
        made_by: "gzip of a file, with its name and time",
        format: Format::Gzip,
        text: TEXT,
        hex: "1f8b080882cd036b00036600cb4e2dca4bcd51c846a6b8006171d99b15000000",
    },
    Member {
        made_by: "gzip -9n of nothing",
        format: Format::Gzip,
        text: "",
        hex: "1f8b080000000000020303000000000000000000",
    },
    Member {
        made_by: "zstd -19",
        format: Format::Zstd,
        text: TEXT,
        hex: "28b52ffd0468750000406b65726e656c200a01003a8a11cc822689",
    },
    Member {
        made_by: "zstd of nothing",
        format: Format::Zstd,
        text: "",
        hex: "28b52ffd240001000099e9d851",
    },
    Member {
        made_by: "xz --check=crc32",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a0000016922de360200210116000000742fe5a3e00014000e5d0035994aaba2e2af224e021de9\
              00000000006171d99b00012615e4d2858e9042990d010000000001595a",
    },
    Member {
        made_by: "xz --check=crc32 --lzma2=preset=0 --block-size=8",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a0000016922de36020021010c0000008f98419c0100076b65726e656c206b0027cc1453020021\
              010c0000008f98419c01000765726e656c206b6500430f9e17020021010c0000008f98419c010004726e65\
              6c0a00000000fc0048f900031c081c081905dda818ef3e300d8b020000000001595a",
    },
    Member {
        made_by: "xz --check=crc32 -T2 --block-size=8, with sizes in the headers of the blocks",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a0000016922de3602c00c08210116009edb7ca90100076b65726e656c206b0027cc145302c00c\
              08210116009edb7ca901000765726e656c206b6500430f9e1702c00905210116009c8e2101010004726e65\
              6c0a00000000fc0048f900031c081c081905dda818ef3e300d8b020000000001595a",
    },
    Member {
        made_by: "xz --check=none",
        format: Format::Xz,
        text: TEXT,
        hex: "fd377a585a000000ff12d9410200210116000000742fe5a3e00014000e5d0035994aaba2e2af224e021de9\
              000000000000012215e017e9ea06729e7a010000000000595a",
    },
    Member {
        made_by: "xz --check=crc32 of nothing",
        format: Format::Xz,
        text: "",
        hex: "fd377a585a0000016922de36000000001cdf44219042990d010000000001595a",
    },
    Member {
        made_by: "bzip2 -9",
        format: Format::Bzip2,
        text: TEXT,
        hex: "425a6839314159265359e4912360000005d18000104000020d10002000223d43d20860121069871678bb9229\
              c2848724891b00",
    },
    Member {
        made_by: "bzip2 of nothing",
        format: Format::Bzip2,
        text: "",
        hex: "425a683917724538509000000000",
    },
    Member {
        made_by: "xz --format=lzma",
        format: Format::Lzma,
        text: TEXT,
        hex: "5d00008000ffffffffffffffff0035994aaba2e2af224e0223780ffffffd630000",
    },
    Member {
        made_by: "xz --format=lzma of nothing",
        format: Format::Lzma,
        text: "",
        hex: "5d00008000ffffffffffffffff0083fffbffffc0000000",
    },
    Member {
        made_by: "lzop -9 of a file, with its name",
        format: Format::Lzo,
        text: TEXT,
        hex: "894c5a4f000d0a1a0a104020a00940030903000009000081a46b08d0cf0000000001663f2305100000001500\
              00000f596007ce186b65726e656c202b19000a11000000000000",
    },
    Member {
        made_by: "lzop -9 --crc32",
        format: Format::Lzo,
        text: TEXT,
        hex: "894c5a4f000d0a1a0a104020a0100103090300110c000081a46b08d0b60000000000dfec8235000000150000\
              000f9bd97161186b65726e656c202b19000a11000000000000",
    },
    Member {
        made_by: "lzop of nothing",
        format: Format::Lzo,
        text: "",
        hex: "894c5a4f000d0a1a0a104020a0094001050300000d000000006b08d0b600000000002d53036900000000",
    },
    Member {
        made_by: "lzop of data that it cannot compress",
        format: Format::Lzo,
        text: "abcdefgh",
        hex: "894c5a4f000d0a1a0a104020a0094001050300000d000000006b08d0cf00000000002de90382000000080000\
              00080e000325616263646566676800000000",
    },
];

/// Valid members that the kernel or packer refuses, with a part of the error.
const REFUSED: [(&str, Format, &str, &str); 6] = [
    (
        "lzop -F",
        Format::Lzo,
        "894c5a4f000d0a1a0a104020a0094001050300000c000081a46b08d0b600000000003938048d000000150000\
         00156b65726e656c206b65726e656c206b65726e656c0a00000000",
        "the lzo data does not have exactly one checksum for each block, as the kernel expects",
    ),
    (
        "xz --format=lzma --lzma1=dict=192MiB",
        Format::Lzma,
        "5d0000000cffffffffffffffff0035994aaba2e2af224e0223780ffffffd630000",
        "the lzma data needs a dictionary of 192 MiB; 128 are allowed",
    ),
    (
        "xz --check=crc64, the default",
        Format::Xz,
        "fd377a585a000004e6d6b4460200210116000000742fe5a3e00014000e5d0035994aaba2e2af224e021de9\
         0000000000beca0e64bc2b4ba400012a15e89d30221fb6f37d010000000004595a",
        "the xz data has a check that the kernel does not know; make it with `xz --check=crc32`",
    ),
    (
        "xz --check=crc32 --x86 --lzma2=preset=6",
        Format::Xz,
        "fd377a585a0000016922de3602010400210116000d86351fe00014000e5d0035994aaba2e2af224e021de9\
         00000000006171d99b00012615e4d2858e9042990d010000000001595a",
        "the xz data has filters besides LZMA2",
    ),
    (
        "xz --check=crc32 --lzma2=dict=192MiB",
        Format::Xz,
        "fd377a585a0000016922de36020021011f000000fe60eddee00014000e5d0035994aaba2e2af224e021de9\
         00000000006171d99b00012615e4d2858e9042990d010000000001595a",
        "the xz data needs a dictionary of 192 MiB; 128 are allowed",
    ),
    (
        "zstd --long=28",
        Format::Zstd,
        "28b52ffd0490750000406b65726e656c200a01003a8a11cc822689",
        "Frame requires too much memory for decoding",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    hex.as_bytes()
        .chunks(2)
        .map(|pair| (digit(pair[0]) << 4) | digit(pair[1]))
        .collect()
}

fn unpack(format: Format, member: &[u8]) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    Decoder::new(format, member)?.read_to_end(&mut data)?;
    Ok(data)
}

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

#[test]
fn a_truncated_member_is_an_error() {
    for member in MEMBERS {
        let bytes = bytes(member.hex);
        for length in 0..bytes.len() {
            let error = unpack(member.format, &bytes[..length]).unwrap_err();
            let message = format!("the {} data ends too early; was it cut off?", member.format);
            assert_eq!(error.to_string(), message, "{}, {length}", member.made_by);
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        }
    }
}

#[test]
fn a_corrupt_member_is_an_error() {
    for member in MEMBERS {
        let right = bytes(member.hex);
        for bit in 0..right.len() * 8 {
            let mut wrong = right.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            match unpack(member.format, &wrong) {
                // Some bits do not matter, such as those of gzip's time. In xz, those can only be
                // between the headers of stream and block and the index.
                Ok(data) if data == member.text.as_bytes() => {
                    let payload = 24..right.len().saturating_sub(20);
                    let may_be = member.format != Format::Xz || payload.contains(&(bit / 8));
                    assert!(may_be, "{}, bit {bit}", member.made_by);
                }
                // A size of 0 ends lzo. What follows is the next part of the image then.
                Ok(data) => assert!(
                    member.format == Format::Lzma
                        || member.made_by == "xz --check=none"
                        || member.format == Format::Lzo && data.is_empty(),
                    "{}, bit {bit}: there is a checksum",
                    member.made_by
                ),
                Err(error) => {
                    let message = error.to_string();
                    let start = format!("the {} data ", member.format);
                    assert!(message.starts_with(&start), "{message}");
                }
            }
        }
    }
}

#[test]
fn lengths_of_xz_that_contradict_each_other_are_an_error() {
    // In which member a length that is right is replaced, where, and how many bytes before and from
    // there on are summed up.
    for (made_by, right, wrong, (before, after)) in [
        // The header of the first of three blocks: its sizes are 12 and 8.
        (
            "xz --check=crc32 -T2",
            [0x0c, 0x08, 0x21],
            [0x0b, 0x08, 0x21],
            (2, 6),
        ),
        (
            "xz --check=crc32 -T2",
            [0x0c, 0x08, 0x21],
            [0x0c, 0x09, 0x21],
            (2, 6),
        ),
        // The index: one block of 38 bytes, unpadded, with 21 bytes of data.
        (
            "xz --check=crc32",
            [0x01, 0x26, 0x15],
            [0x01, 0x27, 0x15],
            (1, 3),
        ),
        (
            "xz --check=crc32",
            [0x01, 0x26, 0x15],
            [0x01, 0x26, 0x14],
            (1, 3),
        ),
        (
            "xz --check=crc32",
            [0x01, 0x26, 0x15],
            [0x02, 0x26, 0x15],
            (1, 3),
        ),
        (
            "xz --check=crc32",
            [0x01, 0x26, 0x15],
            [0x00, 0x26, 0x15],
            (1, 3),
        ),
    ] {
        let member = MEMBERS
            .iter()
            .find(|member| member.made_by.starts_with(made_by));
        let mut bytes = bytes(member.unwrap().hex);
        let at = bytes.windows(3).position(|three| three == right).unwrap();
        bytes[at..][..3].copy_from_slice(&wrong);
        let summed = at - before..at + after;
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[summed.clone()]);
        bytes[summed.end..][..4].copy_from_slice(&crc.sum().to_le_bytes());
        let error = unpack(Format::Xz, &bytes).unwrap_err().to_string();
        let start = "the xz data is corrupt: ";
        assert!(error.starts_with(start), "{made_by}, {wrong:?}: {error}");
    }
}

#[test]
fn after_an_error_there_is_no_end() {
    let mut bytes = bytes(MEMBERS[0].hex);
    let crc = bytes.len() - 8;
    bytes[crc] ^= 1;
    let mut decoder = Decoder::new(Format::Gzip, &bytes[..]).unwrap();
    decoder.read_to_end(&mut Vec::new()).unwrap_err();
    decoder.read_to_end(&mut Vec::new()).unwrap_err();
}

#[test]
fn what_the_kernel_refuses_is_refused() {
    for (made_by, format, hex, expected) in REFUSED {
        let error = unpack(format, &bytes(hex)).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(expected), "{made_by}: {message}");
    }
}

/// Gives some bytes and then an error of the system.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::from_raw_os_error(5)),
            length => Ok(length),
        }
    }
}

#[test]
fn an_error_of_the_input_stays_as_it_is() {
    for member in MEMBERS {
        let bytes = bytes(member.hex);
        for length in 0..bytes.len() {
            let input = BufReader::new(Failing(&bytes[..length]));
            let mut decoder = Decoder::new(member.format, input).unwrap();
            let error = decoder.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(
                error.raw_os_error(),
                Some(5),
                "{}, {length}",
                member.made_by
            );
        }
    }
}
