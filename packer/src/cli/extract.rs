//! `packer extract`.

use super::input;
use super::print::say;
use anyhow::Result;
use clap::Args;
use packer::escape::escape;
use packer::extract::{ExtractOptions, extract};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Extract an image to a directory
///
/// Nothing outside of DIR is touched, whatever the image says: absolute paths are paths in DIR, and
/// neither `..` nor symbolic links are followed. As in Linux, an archive overrides those before it in
/// the image.
///
/// Modes and times are those of the image. Owners are, too, if root extracts; for others, nothing gets
/// set-user-ID and set-group-ID.
///
/// An entry that cannot be extracted, as a device by anybody but root, is a line on stderr, and the
/// others are extracted. Where the image is broken, it ends there, and what was extracted stays.
///
/// Exit codes: 0 all of it was extracted; 1 not all of it.
#[derive(Args)]
pub struct Extract {
    /// The image
    image: PathBuf,

    /// The directory, which is empty, or not there yet
    dir: PathBuf,

    /// Leave out devices
    #[arg(long)]
    skip_devices: bool,
}

impl Extract {
    pub fn run(self) -> Result<ExitCode> {
        let options = ExtractOptions {
            skip_devices: self.skip_devices,
        };
        let image = escape(self.image.as_os_str().as_bytes());
        let mut code = ExitCode::SUCCESS;
        let mut report = |error| {
            // Whoever reads it may be gone, which is no reason to leave the tree half done.
            say(format_args!("{image}: {error}"));
            code = ExitCode::FAILURE;
        };
        input::read(&self.image, |image| {
            extract(image, &self.dir, options, &mut report)
        })?;
        Ok(code)
    }
}
