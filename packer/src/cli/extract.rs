//! `packer extract`.

use super::input;
use super::print::say;
use anyhow::Result;
use clap::Args;
use packer::escape::escape_path;
use packer::extract::{ExtractOptions, extract};
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
/// Exit codes: 0 packer extracted everything; 1 packer did not extract everything.
#[derive(Args)]
pub struct Extract {
    /// The image; - is standard input
    image: PathBuf,

    /// The directory. It must be empty, or not exist yet
    dir: PathBuf,

    /// Skip devices
    #[arg(long)]
    skip_devices: bool,
}

impl Extract {
    pub fn run(self) -> Result<ExitCode> {
        let options = ExtractOptions {
            skip_devices: self.skip_devices,
        };
        let image = escape_path(input::name(&self.image));
        let mut code = ExitCode::SUCCESS;
        let mut report = |error| {
            // Continue even if standard error is closed, so that the tree gets complete.
            say(format_args!("{image}: {error}"));
            code = ExitCode::FAILURE;
        };
        input::read(&self.image, |image| {
            extract(image, &self.dir, options, &mut report)
        })?;
        Ok(code)
    }
}
