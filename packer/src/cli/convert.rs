//! `packer convert`.

use super::create::{jobs, or_stdout};
use super::{input, signals};
use anyhow::Result;
use clap::Args;
use packer::output::OutFile;
use packer::{Compression, convert};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make an image of an archive in an old format of cpio
///
/// Linux knows only newc (`cpio -H newc`). packer converts odc, the old portable format (`cpio -H odc`), and the old
/// binary format of both byte orders (`cpio` without -H). The archive may be compressed in any format that packer
/// reads. Entries stay in their order, with all their metadata. Use `packer verify` on the result: directories may be
/// missing, which Linux needs and cpio makes itself.
///
/// Exit codes: 0 success; 1 IN is not such an archive, is damaged, or has something that newc cannot represent. OUT is
/// unchanged then.
#[derive(Args)]
pub struct Convert {
    /// The archive; - is standard input
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// The image file to make or to replace, or a device or a pipe to write the image to; - is standard output
    out: PathBuf,

    /// Compression: none, gzip (levels 1 to 12), zstd (1 to 22), xz (0 to 9), bzip2 (1 to 9) or lzma (0 to 9)
    #[arg(long, value_name = "FORMAT[:LEVEL]", default_value_t)]
    compress: Compression,

    /// The number of threads, which does not change the image [default: one for each core]
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZero<usize>>,
}

impl Convert {
    pub fn run(self) -> Result<ExitCode> {
        signals::clean_up()?;
        let jobs = jobs(self.jobs);
        let out = OutFile::at(&or_stdout(self.out)?)?;
        if !input::is_dash(&self.input) {
            out.refuse_over(&self.input)?;
        }
        input::read(&self.input, |file| {
            convert::convert_to(file, &out, self.compress, jobs)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
