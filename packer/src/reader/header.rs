//! Reading an entry up to its contents.

use super::contents::Rest;
use super::foreign::CONVERT;
use super::stream::Position;
use super::{CpioEntry, FileType, OpenArchive, Reader, Skipped, show};
use crate::newc::{ALIGN, Header, LEN, TRAILER};
use crate::paths::{PATH_MAX, names_directory};
use bstr::{BString, ByteSlice};
use sha2::Digest;
use std::io::{self, Read};

impl<R: Read> Reader<R> {
    /// Reads the header, the path and the target of a symbolic link. `None` for the trailer.
    pub(super) fn read_entry(&mut self, position: Position) -> io::Result<Option<CpioEntry>> {
        if self.archive.is_none() {
            if let Some(hash) = &mut self.stream.hash {
                hash.reset();
            }
            self.archive = Some(OpenArchive {
                begin: position,
                has_trailer: false,
            });
        }
        let mut bytes = [0; LEN];
        let read = self.stream.read(&mut bytes)?;
        if read < LEN {
            return Err(position.cut_off("its header", LEN as u64 - read as u64));
        }
        let (header, has_checksum) =
            Header::decode(&bytes).ok_or_else(|| not_a_header(position, &bytes))?;
        self.has_started = true;

        let file_type = FileType::of_mode(header.mode);
        let (namesize, filesize) = (header.namesize as usize, header.filesize as usize);
        let mut skipped = match file_type {
            _ if !(1..=PATH_MAX).contains(&namesize) => Some(Skipped::Path),
            Some(FileType::Symlink) if filesize > PATH_MAX => Some(Skipped::Target),
            Some(FileType::Symlink | FileType::File) => None,
            _ if filesize > 0 => Some(Skipped::Contents),
            _ => None,
        };

        let header_len = LEN as u64;
        let whole = (header_len + u64::from(header.namesize)).next_multiple_of(ALIGN) - header_len;
        let mut path = self.text(namesize.min(PATH_MAX), whole, position, "its path")?;
        if skipped.is_none() && path.last() != Some(&0) {
            return Err(position.invalid(format_args!(
                "expected a path of {namesize} bytes with a NUL at the end, found {}",
                show(&path)
            )));
        }
        cut_at_nul(&mut path);
        let is_symlink = file_type == Some(FileType::Symlink);
        let is_trailer = skipped.is_none() && !is_symlink && path == TRAILER;
        skipped = skipped.or_else(|| match file_type {
            _ if path.is_empty() => Some(Skipped::Path),
            None => Some(Skipped::Type),
            Some(FileType::Directory) => None,
            Some(_) => names_directory(&path).then_some(Skipped::Directory),
        });

        let mut contents = u64::from(header.filesize);
        let end = (self.stream.position().byte + contents).next_multiple_of(ALIGN);
        let mut target = BString::default();
        if is_symlink && skipped.is_none() {
            target = self.text(filesize, contents, position, "its target")?;
            cut_at_nul(&mut target);
            contents = 0;
        }
        let is_summed = has_checksum && file_type == Some(FileType::File);
        self.rest = Rest {
            path: path.clone(),
            position,
            contents,
            sum: (is_summed && skipped.is_none() && !is_trailer).then_some((0, header.check)),
            end,
        };
        if is_trailer {
            self.archive
                .iter_mut()
                .for_each(|archive| archive.has_trailer = true);
            return Ok(None);
        }
        Ok(Some(CpioEntry {
            header,
            has_checksum,
            path,
            target,
            archive: self.archives,
            position,
            skipped,
        }))
    }

    /// Reads the first `size` of the next `whole` bytes, and skips the others.
    fn text(
        &mut self,
        size: usize,
        whole: u64,
        position: Position,
        what: &str,
    ) -> io::Result<BString> {
        let mut text = vec![0; size];
        let read = self.stream.read(&mut text)? as u64;
        let missing = whole - read - self.stream.skip(whole - read)?;
        if missing > 0 {
            return Err(position.cut_off(what, missing));
        }
        Ok(text.into())
    }
}

fn cut_at_nul(text: &mut BString) {
    if let Some(nul) = text.find_byte(0) {
        text.truncate(nul);
    }
}

fn not_a_header(position: Position, bytes: &[u8; LEN]) -> io::Error {
    let (magic, fields) = bytes.split_at(6);
    if matches!(magic, b"070701" | b"070702") {
        let field = fields
            .chunks_exact(8)
            .find(|field| !field.iter().all(u8::is_ascii_hexdigit));
        let found = show(field.unwrap_or_default());
        return position.invalid(format_args!(
            "expected a header of hexadecimal digits, found {found}"
        ));
    }
    let found = show(magic);
    let hint = match magic {
        b"070707" => format!(", of odc, the old portable format of cpio: {CONVERT}"),
        _ => String::new(),
    };
    position.invalid(format_args!(
        "expected the magic 070701 or 070702, found {found}{hint}"
    ))
}
