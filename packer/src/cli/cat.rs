//! `packer cat`.

use super::input;
use super::print::{print, say};
use anyhow::Result;
use clap::Args;
use packer::cat::cat;
use packer::escape::escape_path;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write the contents of files of an image to stdout
///
/// Writes the files that Linux unpacks, in the order of the arguments: a later entry of the same name counts,
/// and a path may lead through symbolic links, as in the guest. If a file has several names (hard links), packer
/// writes its contents for each of them.
///
/// packer reads the image twice, so it first copies an image from a pipe to a temporary file (in TMPDIR or /tmp).
///
/// Exit codes: 0 packer wrote all files; 1 the image is damaged, or one of the paths is missing, a directory, a
/// device or the like. packer then prints a line on stderr for each such path, and writes nothing.
#[derive(Args)]
pub struct Cat {
    /// The image; - is standard input
    image: PathBuf,

    /// A file in the image. It does not matter whether the path begins with a `/`
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Cat {
    pub fn run(self) -> Result<ExitCode> {
        let image = escape_path(input::name(&self.image));
        let paths: Vec<_> = self
            .paths
            .iter()
            .map(|path| path.as_os_str().as_bytes())
            .collect();
        let mut code = ExitCode::SUCCESS;
        let mut report = |error| {
            say(format_args!("{image}: {error}"));
            code = ExitCode::FAILURE;
        };
        print(|out| {
            input::read(&self.image, |image| {
                cat(&mut input::seekable(image)?, &paths, out, &mut report)
            })
        })?;
        Ok(code)
    }
}
