//! Makes an image file from a tree.

use crate::output::{OutFile, Pending};
use crate::{Compression, Error, Kind, Manifest, StorePath, Tree, archive};
use std::io::{BufWriter, Seek, Write};
use std::num::NonZero;
use std::path::Path;

/// How many bytes a compressor gets at once.
pub(crate) const PIECE: usize = 128 << 10;

/// Options of [`create`].
#[derive(Debug)]
pub struct CreateOptions<'a> {
    /// The time of every entry, in seconds since 1970.
    pub mtime: u32,
    /// Format and level of the compression.
    pub compression: Compression,
    /// The number of threads that compress. The image does not depend on it.
    pub jobs: NonZero<usize>,
    /// The file to write the image's [`Manifest`] to.
    pub manifest: Option<&'a Path>,
    /// Files that were read to make the tree, but are not in it, such as lists. Neither the image nor the
    /// manifest may replace them.
    pub inputs: &'a [&'a Path],
    /// The closures in the tree, for the manifest.
    pub store_paths: &'a [StorePath],
}

impl Default for CreateOptions<'_> {
    fn default() -> Self {
        Self {
            mtime: 0,
            compression: Compression::default(),
            jobs: NonZero::<usize>::MIN,
            manifest: None,
            inputs: &[],
            store_paths: &[],
        }
    }
}

/// Writes `tree` to the image file `out`. Calls `progress` with the size of each file that has been
/// copied.
///
/// `out` is never incomplete: the image is written to a temporary file beside `out`, which is renamed
/// when it is complete. If an error occurs, the previous file stays. The same is true of the manifest. It
/// describes the image as it was written, because it is made by reading the image back. If `out` is a
/// symbolic link, the file that it leads to is replaced. A device or a pipe gets the image when the image
/// is complete.
///
/// # Errors
/// Those of [`archive::write`], always as [`Error::At`]. Also if `out` is a directory, or the same file as
/// the manifest or as one of the inputs.
pub fn create(
    out: &Path,
    tree: &Tree,
    options: &CreateOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let image_file = OutFile::at(out)?;
    let manifest_file = options.manifest.map(OutFile::at).transpose()?;
    refuse_to_destroy(&image_file, manifest_file.as_ref(), tree, options.inputs)?;
    let image = image_file.begin()?;
    let manifest = manifest_file.as_ref().map(OutFile::begin).transpose()?;
    write(&image, tree, options, progress).map_err(|error| match error {
        Error::Output(error) => image.failed(error),
        error => error.of(out),
    })?;
    if let Some(pending) = &manifest {
        let mut file = image.file();
        file.rewind().map_err(|error| Error::at(out, error))?;
        let mut manifest = Manifest::of_image(file).map_err(|error| error.of(out))?;
        manifest.store_paths = options.store_paths.to_vec();
        let mut file = BufWriter::new(pending.file());
        let written = manifest.write(&mut file).and_then(|()| file.flush());
        written.map_err(|error| pending.failed(error))?;
    }
    image.commit()?;
    manifest.map_or(Ok(()), Pending::commit)
}

fn refuse_to_destroy(
    image: &OutFile,
    manifest: Option<&OutFile>,
    tree: &Tree,
    inputs: &[&Path],
) -> Result<(), Error> {
    if let Some(manifest) = manifest {
        manifest.refuse_both(image)?;
    }
    let sources = tree.entries().filter_map(|(_, entry)| match &entry.kind {
        Kind::File { source } => Some(source.as_path()),
        _ => None,
    });
    for input in sources.chain(inputs.iter().copied()) {
        for output in [Some(image), manifest].into_iter().flatten() {
            output.refuse_over(input)?;
        }
    }
    Ok(())
}

fn write(
    image: &Pending,
    tree: &Tree,
    options: &CreateOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let buffer = BufWriter::new(image.file());
    let mut buffer = match options.compression {
        // No encoder here, so that the kernel copies the files.
        Compression::None => archive::write_with_progress(tree, options.mtime, buffer, progress)?,
        compression => {
            let encoder = compression
                .encoder(options.jobs, buffer)
                .map_err(Error::Output)?;
            // Without this buffer, io::copy writes 8 KiB at a time, and zstd takes a lock for each
            // write.
            let encoder = BufWriter::with_capacity(PIECE, encoder);
            archive::write_with_progress(tree, options.mtime, encoder, progress)?
                .into_inner()
                .map_err(|error| Error::Output(error.into_error()))?
                .finish()
                .map_err(Error::Output)?
        }
    };
    buffer.flush().map_err(Error::Output)
}
