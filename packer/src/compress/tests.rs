//! The names of compressions, and errors of encoders.

use super::*;

#[test]
fn names() {
    for text in [
        "none", "gzip:1", "gzip:9", "gzip:12", "zstd:1", "zstd:22", "xz:0", "xz:9", "bzip2:1",
        "bzip2:9", "lzma:0", "lzma:9",
    ] {
        assert_eq!(text.parse::<Compression>().unwrap().to_string(), text);
    }
    assert_eq!("gzip".parse(), Ok(Compression::default()));
    assert_eq!("zstd".parse(), Ok(Compression::Zstd { level: 19 }));
    assert_eq!("xz".parse(), Ok(Compression::Xz { level: 6 }));
    assert_eq!("bzip2".parse(), Ok(Compression::Bzip2 { level: 9 }));
    assert_eq!("lzma".parse(), Ok(Compression::Lzma { level: 6 }));
}

#[test]
fn wrong_names_are_told_what_would_be_right() {
    for (text, message) in [
        (
            "",
            "expected none, or gzip, zstd, xz, bzip2 or lzma, and perhaps :LEVEL, not \"\"",
        ),
        (
            "bzip2:0",
            "the level of bzip2 is a number from 1 to 9, not \"0\"",
        ),
        (
            "lzo",
            "packer reads lzo, but does not write it; write none, and compress the image with `lzop`",
        ),
        (
            "lz4:9",
            "packer reads lz4, but does not write it; write none, and compress the image with `lz4 -l`",
        ),
        (
            "Gzip",
            "expected none, or gzip, zstd, xz, bzip2 or lzma, and perhaps :LEVEL, not \"Gzip\"",
        ),
        ("none:1", "none has no level"),
        ("none:", "none has no level"),
        (
            "gzip:",
            "the level of gzip is a number from 1 to 12, not \"\"",
        ),
        (
            "gzip:0",
            "the level of gzip is a number from 1 to 12, not \"0\"",
        ),
        (
            "gzip:13",
            "the level of gzip is a number from 1 to 12, not \"13\"",
        ),
        (
            "gzip:+1",
            "the level of gzip is a number from 1 to 12, not \"+1\"",
        ),
        (
            "gzip:09",
            "the level of gzip is a number from 1 to 12, not \"09\"",
        ),
        (
            "gzip:9:9",
            "the level of gzip is a number from 1 to 12, not \"9:9\"",
        ),
        (
            "zstd:-5",
            "the level of zstd is a number from 1 to 22, not \"-5\"",
        ),
        (
            "xz:10",
            "the level of xz is a number from 0 to 9, not \"10\"",
        ),
        (
            "xz:6e",
            "the level of xz is a number from 0 to 9, not \"6e\"",
        ),
    ] {
        assert_eq!(
            text.parse::<Compression>(),
            Err(message.to_owned()),
            "{text}"
        );
    }
}

#[test]
fn levels_that_do_not_exist_are_refused() {
    for compression in [
        Compression::Gzip { level: 0 },
        Compression::Gzip { level: 13 },
        Compression::Zstd { level: 0 },
        Compression::Zstd { level: -1 },
        Compression::Zstd { level: 23 },
        Compression::Xz { level: 10 },
        Compression::Lzma { level: 10 },
        Compression::Bzip2 { level: 0 },
    ] {
        let error = compression
            .encoder(NonZero::<usize>::MIN, Vec::new())
            .err()
            .unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{compression}");
    }
}

/// Takes so many bytes, fails once, and takes any number then.
struct FailsOnce(Option<usize>);

impl Write for FailsOnce {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(0) => {
                self.0 = None;
                Err(io::ErrorKind::StorageFull.into())
            }
            Some(room) => {
                let taken = bytes.len().min(*room);
                *room -= taken;
                Ok(taken)
            }
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_end_after_an_error() {
    // gzip and zstd cannot make these bytes smaller.
    let data: Vec<u8> = (0_u64..1 << 17)
        .flat_map(|i| {
            i.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
                .wrapping_pow(3)
                .to_le_bytes()
        })
        .collect();
    for text in ["none", "gzip:1", "zstd:1", "xz:0", "bzip2:1", "lzma:0"] {
        let compression: Compression = text.parse().unwrap();
        let out = FailsOnce(Some(7));
        let mut encoder = compression.encoder(NonZero::<usize>::MIN, out).unwrap();
        let error = data
            .iter()
            .cycle()
            .find_map(|_| encoder.write_all(&data).err());
        assert_eq!(error.unwrap().kind(), io::ErrorKind::StorageFull, "{text}");
        for error in [encoder.write_all(&data).err(), encoder.finish().err()] {
            assert_eq!(
                error.unwrap().to_string(),
                "compression had already failed",
                "{text}"
            );
        }
    }
}
