//! The output of the compressors: it is always the same, and it decompresses to the data.

use packer::Compression;
use packer::decompress::{Decoder, detect};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::num::NonZero;

const MIB: usize = 1 << 20;

fn jobs(jobs: usize) -> NonZero<usize> {
    NonZero::new(jobs).unwrap()
}

fn parse(compression: &str) -> Compression {
    compression.parse().unwrap()
}

/// Marsaglia's xorshift32: the same numbers forever, unlike those of a library.
fn random() -> impl FnMut() -> u32 {
    let mut state = 0x9e37_79b9_u32;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut random = random();
    (0..length).map(|_| (random() >> 24) as u8).collect()
}

fn zeros(length: usize) -> Vec<u8> {
    vec![0; length]
}

/// Words, tables of numbers, zeros and noise in turn, similar to programs and their data.
fn mixed(length: usize) -> Vec<u8> {
    let mut random = random();
    let words: Vec<Vec<u8>> = (0..500)
        .map(|_| {
            (0..2 + random() % 9)
                .map(|_| b'a' + (random() % 26) as u8)
                .collect()
        })
        .collect();
    let mut data = Vec::with_capacity(length + 10_000);
    while data.len() < length {
        let number = random() % 2000;
        match random() % 8 {
            0 => data.extend((0..number).map(|_| (random() >> 24) as u8)),
            1 => data.resize(data.len() + number as usize, 0),
            2 | 3 => data.extend((0..number).flat_map(|i| (i * 24 + random() % 4).to_le_bytes())),
            _ => {
                for _ in 0..number {
                    // Some words come more often than others.
                    let rank = (random() % 500) * (random() % 500) / 500;
                    data.extend(&words[rank as usize]);
                    data.push(b' ');
                }
            }
        }
    }
    data.truncate(length);
    data
}

fn compress(compression: &str, threads: usize, step: usize, data: &[u8]) -> Vec<u8> {
    let mut encoder = parse(compression)
        .encoder(jobs(threads), Vec::new())
        .unwrap();
    for part in data.chunks(step) {
        encoder.write_all(part).unwrap();
        encoder.flush().unwrap();
    }
    encoder.finish().unwrap()
}

/// One member and nothing else.
fn decompress(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(detect(bytes).unwrap(), bytes).unwrap();
    let mut data = Vec::new();
    decoder.read_to_end(&mut data).unwrap();
    assert!(decoder.into_inner().is_empty());
    data
}

#[test]
fn none_is_the_data() {
    let data = mixed(100_000);
    assert_eq!(compress("none", 1, 1000, &data), data);
}

#[test]
fn the_data_comes_back() {
    // Lengths around the chunk of gzip, the job of zstd:1 (2 MiB), the data that zstd holds back (8 MiB),
    // and the block of xz:0.
    for (compression, lengths) in [
        ("gzip:1", &[0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7][..]),
        ("gzip:9", &[MIB, MIB + 1]),
        ("zstd:1", &[0, 1, 2 * MIB + 1, 8 * MIB, 8 * MIB + 1]),
        ("xz:0", &[0, 1, MIB - 1, MIB, MIB + 1]),
        ("lzma:0", &[0, 1, MIB / 4, MIB / 4 + 1]),
        ("bzip2:1", &[0, 1, 99_981, 100_000, 300_000]),
    ] {
        let longest = &lengths[lengths.len() - 1..];
        for (make, lengths) in [
            (mixed as fn(usize) -> Vec<u8>, lengths),
            (zeros, longest),
            (noise, longest),
        ] {
            for &length in lengths {
                let data = make(length);
                let bytes = compress(compression, 2, 100_000, &data);
                assert!(decompress(&bytes) == data, "{compression}, {length} bytes");
            }
        }
    }
}

#[test]
fn neither_threads_nor_writes_matter() {
    for (compression, length) in [
        ("gzip:1", 3 * MIB + 7),
        ("zstd:1", 5 * MIB + 7),
        ("zstd:1", 9 * MIB),
        ("xz:0", 2 * MIB + 7),
        ("lzma:0", MIB + 7),
        ("bzip2:1", MIB + 7),
    ] {
        let data = mixed(length);
        let bytes = compress(compression, 1, length, &data);
        for (threads, step) in [(2, length), (3, 7777), (8, MIB)] {
            let others = compress(compression, threads, step, &data);
            assert!(
                others == bytes,
                "{compression}, {threads} jobs, {step} bytes at once"
            );
        }
    }
}

/// We promise that the same inputs give the same bytes. If this test fails after the update of a compressor,
/// the update changes images: mention it in the changelog, and record the new hashes.
#[test]
fn the_bytes_are_those_recorded() {
    let data = mixed(MIB + 100_000);
    for (compression, length, sha256) in [
        (
            "gzip:1",
            466_786,
            "021fa8147c36adaf665823da15928b5dbf17ccb3ce2c926e007dae2a6f4c8cda",
        ),
        (
            "gzip:6",
            407_313,
            "6ccb8d54c82ad951904038753acc4f6ca2ef5b5798eb3076cd6fb1f22f859147",
        ),
        (
            "gzip:7",
            406_693,
            "efa64c94c01afb3e677e6793fb012f31ff8eef70f5417af392ef75441bec8336",
        ),
        (
            "gzip:9",
            405_295,
            "adc9d960f077e56b3b5b59c422562f7701b3b7d8d0042ba560d968a82122777c",
        ),
        (
            "gzip:12",
            370_551,
            "5fef24cdb69c28d7425870b0c0a9aa9f259213e84f6015ca1e83bf3d42e87575",
        ),
        (
            "zstd:3",
            368_742,
            "1f4771f8e07ddcaf9cefdd0a1e05b5ae5e9eac1ea8b092c5bc689807d7b81be4",
        ),
        (
            "zstd:9",
            355_187,
            "c895fc9b24349b4c8baa1d4cf032fed19cc23307c2bf5509ff5d21cab9a4e0e4",
        ),
        (
            "zstd:19",
            301_193,
            "f7512b4e6cd096f5178612eb501a01739339fa045e9f8a7b967f0658a708b950",
        ),
        (
            "xz:0",
            315_680,
            "103c13c32f08b191cd97e811d9de15964a14b2c81bd3355cfd01253e5387cab9",
        ),
        (
            "xz:6",
            257_240,
            "97f8c2c7f1316e48b56cabfd7835b044316479b42a50b1bd9e9ace92f3c42461",
        ),
        (
            "lzma:0",
            312_643,
            "20edf5c6a2dbe1670935d203f33402dce83167a4c5efa29a921d0bc8d2e84c85",
        ),
        (
            "lzma:6",
            257_154,
            "bb71285ffbcb76919063ec642bef2a795588e993678ac11caaf1899c33990cc9",
        ),
        (
            "bzip2:1",
            332_134,
            "d679dd89bd64f7c680f01b0229854f93c45a993ca92cece6cf230c75de365eec",
        ),
        (
            "bzip2:9",
            235_509,
            "df53ef38bbea195cbfbda188b2f18401b14c34bf86250c1344719d818aa09bc9",
        ),
    ] {
        let bytes = compress(compression, 2, MIB, &data);
        let found = format!("{:x}", Sha256::digest(&bytes));
        assert_eq!((bytes.len(), &found[..]), (length, sha256), "{compression}");
    }
}

/// A writer that is full after this many bytes.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let data = noise(3 * MIB);
    for compression in ["none", "gzip:1", "zstd:1", "xz:0", "bzip2:1", "lzma:0"] {
        for room in [0, 5, MIB + 1, 3 * MIB - 1] {
            let mut encoder = parse(compression).encoder(jobs(2), Disk(room)).unwrap();
            let result = encoder
                .write_all(&data)
                .and_then(|()| encoder.finish().map(|_| ()));
            let error = result.unwrap_err();
            assert_eq!(
                error.kind(),
                io::ErrorKind::StorageFull,
                "{compression}, {room}"
            );
        }
    }
}

#[test]
fn dropping_midway_ends() {
    let data = noise(9 * MIB);
    for compression in ["none", "gzip:9", "zstd:3", "xz:0", "bzip2:9", "lzma:0"] {
        for length in [0, 1, MIB + 1, 9 * MIB] {
            let mut encoder = parse(compression).encoder(jobs(2), io::sink()).unwrap();
            encoder.write_all(&data[..length]).unwrap();
        }
    }
}
