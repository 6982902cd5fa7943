//! `packer list`.

use super::print::{json, print, say};
use super::{input, parser};
use anyhow::Result;
use clap::Args;
use packer::escape::{escape, escape_path};
use packer::manifest::{ManifestEntry, ManifestKind};
use packer::pattern::{Pattern, Selection};
use packer::reader::{Item, Reader};
use packer::segments::{self, Segment};
use packer::{Error, Manifest};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// List the entries of an image
///
/// Prints a line for each entry, in the order of the image, with single spaces between the fields:
///
///     MODE UID:GID SIZE MTIME PATH[ -> TARGET]
///
/// MODE has the form of `ls -l`. SIZE is MAJOR,MINOR for a device and 0 for a directory.
/// MTIME is in seconds since 1970. In PATH and TARGET, control characters and bytes that are
/// not UTF-8 appear as \xNN, and a backslash as two.
///
/// If a file has several names (hard links), each name has a line. The archive stores the
/// contents with one of the names, usually the last. The other names have the SIZE `-`. With
/// --json, all names have the size.
///
/// With PATTERNs, packer lists only the entries that one of them matches. In a PATTERN, as for
/// cpio and bsdtar, * matches any characters, ? one character, and [a-z] one of these; all of
/// them match a `/`, too. A PATTERN that matches a directory also selects everything in it. It
/// does not matter whether a PATTERN begins with a `/`. Quote it, so that the shell leaves it
/// alone. If a PATTERN matches no entry, that is an error, after packer has listed the others.
///
/// packer does not list the entries that Linux would skip. `packer verify` reports them. If
/// the image is damaged, packer lists the entries before the damage.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct List {
    /// The image; - is standard input
    image: PathBuf,

    /// List only what matches one of these
    #[arg(value_name = "PATTERN", value_parser = parser(Pattern::parse), conflicts_with = "json")]
    patterns: Vec<Pattern>,

    /// Print the manifest of the image, a JSON description. With --segments, print the segments as JSON
    #[arg(long)]
    json: bool,

    /// Print before PATH the SHA-256 of the contents of a file, or `-` for other entries
    #[arg(long, conflicts_with = "json")]
    sha256: bool,

    /// Print the segments of the image, and not its entries
    ///
    /// A segment is an archive that is not compressed, or compressed data with archives in it. The fields are:
    ///
    ///     OFFSET SIZE COMPRESSION UNPACKED RATIO ENTRIES WHAT
    ///
    /// SIZE is the number of bytes in the image, with the NULs after the segment, and UNPACKED that of the archives.
    /// RATIO is how often SIZE goes into UNPACKED. WHAT is one or several of these, with commas: microcode and
    /// acpi-tables, which Linux reads before it unpacks the image, files, and - for nothing of this.
    #[arg(long, verbatim_doc_comment, conflicts_with_all = ["sha256", "patterns"])]
    segments: bool,
}

impl List {
    pub fn run(self) -> Result<ExitCode> {
        let mut unmatched = Vec::new();
        print(|out| {
            if self.segments && self.json {
                let mut found = Vec::new();
                input::read(&self.image, |image| {
                    segments::read(image, &mut |next| {
                        found.push(segment_json(&next));
                        Ok(())
                    })
                })?;
                return json(&json!({ "version": 1, "segments": found }), out);
            }
            if self.json {
                let manifest = input::read(&self.image, Manifest::of_image)?;
                return manifest.write(out).map_err(Error::Output);
            }
            if self.segments {
                return input::read(&self.image, |image| {
                    segments::read(image, &mut |found| segment(&found, out))
                });
            }
            let mut selection = Selection::new(self.patterns.iter().cloned());
            input::read(&self.image, |image| self.lines(image, &mut selection, out))?;
            unmatched.extend(selection.unmatched());
            Ok(())
        })?;
        let image = escape_path(input::name(&self.image));
        for error in &unmatched {
            say(format_args!("{image}: {error}"));
        }
        Ok(match unmatched.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// Writes each line at once and keeps nothing of the entry, so the memory is bounded for any image.
    fn lines(
        &self,
        image: File,
        selection: &mut Selection,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let mut reader = Reader::new(image);
        while let Some(item) = reader.next_item()? {
            let Item::Entry(read) = item else { continue };
            let Some(mut entry) = ManifestEntry::of(&read) else {
                continue;
            };
            if !selection.selects(&entry.path) {
                continue;
            }
            let mut is_elsewhere = false;
            if let ManifestKind::File { size, sha256, .. } = &mut entry.kind {
                is_elsewhere = *size == 0 && read.link().is_some();
                if self.sha256 && !is_elsewhere {
                    *sha256 = reader.contents().sha256().map_err(Error::Input)?;
                }
            }
            line(&entry, is_elsewhere, self.sha256, out).map_err(Error::Output)?;
        }
        Ok(())
    }
}

fn segment(segment: &Segment, out: &mut dyn Write) -> Result<(), Error> {
    let parts: Vec<_> = segment.parts.iter().map(ToString::to_string).collect();
    writeln!(
        out,
        "{} {} {} {} {:.2} {} {}",
        segment.offset,
        segment.size,
        compression(segment),
        segment.unpacked,
        segment.unpacked as f64 / segment.size as f64,
        segment.entries,
        match &parts[..] {
            [] => "-".into(),
            parts => parts.join(","),
        }
    )
    .map_err(Error::Output)
}

/// The fields are in docs/packer.md.
fn segment_json(segment: &Segment) -> Value {
    let parts: Vec<_> = segment.parts.iter().map(ToString::to_string).collect();
    json!({
        "offset": segment.offset,
        "size": segment.size,
        "compression": compression(segment),
        "unpacked": segment.unpacked,
        "archives": segment.archives,
        "entries": segment.entries,
        "what": parts,
    })
}

fn compression(segment: &Segment) -> String {
    segment
        .format
        .map_or("none".into(), |format| format.to_string())
}

/// `is_elsewhere`: the contents of the file may be with another of its names.
fn line(
    entry: &ManifestEntry,
    is_elsewhere: bool,
    with_sha256: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    write!(out, "{} {}:{} ", permissions(entry), entry.uid, entry.gid)?;
    match &entry.kind {
        ManifestKind::File { .. } if is_elsewhere => write!(out, "-")?,
        ManifestKind::File { size, .. } => write!(out, "{size}")?,
        ManifestKind::Symlink { target } => write!(out, "{}", target.len())?,
        ManifestKind::CharDevice { major, minor } | ManifestKind::BlockDevice { major, minor } => {
            write!(out, "{major},{minor}")?;
        }
        ManifestKind::Directory | ManifestKind::Fifo | ManifestKind::Socket => write!(out, "0")?,
    }
    write!(out, " {}", entry.mtime)?;
    match &entry.kind {
        ManifestKind::File { sha256, .. } if with_sha256 && !is_elsewhere => {
            write!(out, " {sha256}")?
        }
        _ if with_sha256 => write!(out, " -")?,
        _ => {}
    }
    write!(out, " {}", escape(&entry.path))?;
    if let ManifestKind::Symlink { target } = &entry.kind {
        write!(out, " -> {}", escape(target))?;
    }
    writeln!(out)
}

/// Type and mode as ls(1) shows them.
fn permissions(entry: &ManifestEntry) -> String {
    let mode = entry.mode;
    let mut text = String::from(match &entry.kind {
        ManifestKind::Directory => "d",
        ManifestKind::File { .. } => "-",
        ManifestKind::Symlink { .. } => "l",
        ManifestKind::CharDevice { .. } => "c",
        ManifestKind::BlockDevice { .. } => "b",
        ManifestKind::Fifo => "p",
        ManifestKind::Socket => "s",
    });
    for (shift, special, letters) in [(6, 0o4000, "sS"), (3, 0o2000, "sS"), (0, 0o1000, "tT")] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push_str(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => "-",
            (false, true) => "x",
            (true, true) => &letters[..1],
            (true, false) => &letters[1..],
        });
    }
    text
}
