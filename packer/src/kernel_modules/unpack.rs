//! Unpacks compressed kernel modules.
//!
//! They are stored unpacked, because finit_module(2) takes a compressed module only from Linux 5.17 on, only with
//! `MODULE_INIT_COMPRESSED_FILE`, and only if the kernel has a decompressor of that format.

use crate::decompress::{Decoder, Format};
use crate::error::Reason;
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The memory that xz may take, in bytes. `xz -9` takes 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;

/// A module's path without the end that names its compression, and that compression.
pub(super) fn split(path: &[u8]) -> (&[u8], Option<Format>) {
    for (end, format) in [
        (".gz", Format::Gzip),
        (".xz", Format::Xz),
        (".zst", Format::Zstd),
    ] {
        if let Some(plain) = path.strip_suffix(end.as_bytes()) {
            return (plain, Some(format));
        }
    }
    (path, None)
}

/// The contents of the module in a compressed file.
pub(super) fn unpack(file: &Path, format: Format) -> Result<Vec<u8>, Reason> {
    decompress(file, format).map_err(|error| format!("{error}; install the module again").into())
}

fn decompress(file: &Path, format: Format) -> io::Result<Vec<u8>> {
    let input = BufReader::new(File::open(file)?);
    let mut bytes = Vec::new();
    if format == Format::Xz {
        // Not by `Decoder`, which only takes what the kernel takes. kmod takes any check and any filter.
        let stream = Stream::new_stream_decoder(XZ_MEMORY, 0)?;
        let result = XzDecoder::new_stream(input, stream).read_to_end(&mut bytes);
        result.map_err(|error| {
            let reason = format!("the xz data is corrupt or cut off: {error}");
            io::Error::new(error.kind(), reason)
        })?;
    } else {
        Decoder::new(format, input)?.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
