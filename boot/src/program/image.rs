//! The initramfs of a guest: the agent's, and files for this guest.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result};
use packer::{Tree, archive, newc};
use rustix::fs::{MemfdFlags, memfd_create};

/// An initramfs in memory, so that nothing remains of it, however boot ends.
#[derive(Debug)]
pub struct Image(File);

/// What is said before an error of the host.
const FAILED: &str = "cannot write the initramfs in memory";

impl Image {
    /// The agent's image `initramfs`, followed by the archive of `tree`. The kernel unpacks one after the other.
    ///
    /// # Errors
    /// Those of [`archive::write`]; if `initramfs` cannot be read; if there is no memory.
    pub fn new(initramfs: &Path, tree: &Tree) -> Result<Image> {
        let mut image = File::from(memfd_create("initramfs", MemfdFlags::CLOEXEC).context(FAILED)?);
        let mut agent = File::open(initramfs)
            .with_context(|| format!("{}: cannot read the initramfs", initramfs.display()))?;
        io::copy(&mut agent, &mut image).context(FAILED)?;
        let length = image.stream_position().context(FAILED)?;
        let padding = length.next_multiple_of(newc::ALIGN) - length;
        image
            .write_all(&[0; newc::ALIGN as usize][..padding as usize])
            .context(FAILED)?;
        let image = archive::write(tree, 0, BufWriter::new(image))?;
        let image = image
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .context(FAILED)?;
        Ok(Image(image))
    }

    /// Its path for other processes, as long as this value exists.
    pub fn path(&self) -> PathBuf {
        let (process, file) = (process::id(), self.0.as_raw_fd());
        format!("/proc/{process}/fd/{file}").into()
    }
}
