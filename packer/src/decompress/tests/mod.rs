//! Members that gzip, zstd, xz, bzip2 and lzop made, whole and broken.

mod broken;
mod members;
mod whole;

use super::*;
use members::MEMBERS;

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
