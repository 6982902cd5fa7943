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
/// packer changes nothing outside DIR, whatever the image contains: absolute paths are paths in DIR, and
/// neither `..` nor symbolic links are followed. As in Linux, an archive overrides earlier archives of
/// the image.
///
/// Modes and times are those of the image. If root extracts, so are the owners. Otherwise set-user-ID
/// and set-group-ID are removed.
///
/// For an entry that cannot be extracted, such as a device if the user is not root, packer prints a line on
/// stderr and continues. If the image is damaged, packer stops there. The files extracted so far stay.
///
/// Exit codes: 0 everything was extracted; 1 something was not.
#[derive(Args)]
pub struct Extract {
    /// The image
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
        let image = escape_path(&self.image);
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
