//! Members that are damaged, or that the kernel refuses.

use super::*;
use std::io::{BufReader, ErrorKind};

/// Valid members that the kernel or packer refuses, with a part of the error.
const REFUSED: [(&str, Format, &str, &str); 7] = [
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
        "xz --format=lzma, with the size in the header",
        Format::Lzma,
        "5d0000800015000000000000000035994aaba2e2af224e0223780ffffffd630000",
        "the lzma data has both a size and an end mark, which the kernel takes for junk",
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
