//! `packer extract`.

use super::print::say;
use super::{input, parser};
use anyhow::Result;
use clap::Args;
use packer::escape::{escape, escape_path};
use packer::extract::{ExtractOptions, extract_part};
use packer::pattern::{Pattern, Selection};
use std::path::PathBuf;
use std::process::ExitCode;

/// Extract an image to a directory
///
/// packer changes nothing outside DIR, whatever the image contains: it takes absolute paths as paths in DIR,
/// and follows neither `..` nor symbolic links. As in Linux, an archive overrides earlier archives of the
/// image.
///
/// The extracted files have the modes and times of the image. If you are root, they also have the owners of
/// the image. Otherwise, packer removes the set-user-ID and set-group-ID bits.
///
/// If packer cannot extract an entry, such as a device if you are not root, it prints a line on stderr and
/// continues. If the image is damaged, packer stops at the damage. The files extracted so far stay.
///
/// With PATTERNs, packer extracts only the entries that one of them matches, and their parent directories. In a
/// PATTERN, as for cpio and bsdtar, * matches any characters, ? one character, and [a-z] one of these; all of them
/// match a `/`, too. A PATTERN that matches a directory also selects everything in it. It does not matter whether a
/// PATTERN begins with a `/`. Quote it, so that the shell leaves it alone. If a PATTERN matches no entry, that is an
/// error, after packer has extracted the other entries.
///
/// Exit codes: 0 packer extracted everything; 1 packer did not extract everything.
#[derive(Args)]
pub struct Extract {
    /// The image; - is standard input
    image: PathBuf,

    /// The directory. It must be empty, or not exist yet
    dir: PathBuf,

    /// Extract only what matches one of these
    #[arg(value_name = "PATTERN", value_parser = parser(Pattern::parse))]
    patterns: Vec<Pattern>,

    /// Skip devices
    #[arg(long)]
    skip_devices: bool,

    /// Leave out N names at the start of each path, and skip entries without further names
    ///
    /// PATTERNs still match the whole path. Targets of symbolic links stay as they are.
    #[arg(long, value_name = "N", default_value_t, hide_default_value = true)]
    strip_components: usize,

    /// Stop if the image has more than N entries
    #[arg(long, value_name = "N")]
    max_entries: Option<u64>,

    /// Stop before the contents of all files have more than BYTES
    ///
    /// A small image can have very large files. Without this limit, packer stops when the disk is full.
    #[arg(long, value_name = "BYTES")]
    max_size: Option<u64>,

    /// Print the path of each extracted entry on stderr
    #[arg(long, short)]
    verbose: bool,
}

impl Extract {
    pub fn run(self) -> Result<ExitCode> {
        let options = ExtractOptions {
            skip_devices: self.skip_devices,
            strip_components: self.strip_components,
            entries_max: self.max_entries,
            size_max: self.max_size,
            announce: self.verbose.then_some(|path| say(escape(path))),
        };
        let image = escape_path(input::name(&self.image));
        let mut selection = Selection::new(self.patterns);
        let mut code = ExitCode::SUCCESS;
        let mut report = |error| {
            // Continue even if standard error is closed, so that the tree gets complete.
            say(format_args!("{image}: {error}"));
            code = ExitCode::FAILURE;
        };
        input::read(&self.image, |image| {
            extract_part(image, &self.dir, options, &mut selection, &mut report)
        })?;
        Ok(code)
    }
}
