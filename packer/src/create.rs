//! Makes an image file from a tree.

use crate::decompress::Format;
use crate::output::{OutFile, Pending};
use crate::reader::{Item, Reader};
use crate::{Compression, Error, Kind, Manifest, StorePath, Tree, archive, source};
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::num::NonZero;
use std::path::Path;

/// How many bytes a compressor gets at once.
pub(crate) const PIECE: usize = 128 << 10;

/// Options of [`create`].
#[derive(Debug)]
pub struct CreateOptions<'a> {
    /// The time of every entry without a time of its own, in seconds since 1970.
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
    /// What Linux reads before it unpacks the image, for an uncompressed archive at the start: see
    /// [`early`](crate::early). If it is empty, there is no such archive.
    pub early: Tree,
    /// Images that come before the archive of the tree, unchanged.
    pub onto: &'a [&'a Path],
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
            early: Tree::new(),
            onto: &[],
        }
    }
}

/// Writes `tree` to the image file `out`. Calls `progress` with the size of each file that has been
/// copied. If the options have other archives, and the tree is empty, the image has no archive for it.
///
/// Each archive begins at a multiple of 512 bytes.
///
/// `out` is never incomplete: the image is written to a temporary file beside `out`, which is renamed
/// when it is complete. If an error occurs, the previous file stays. The same is true of the manifest. It
/// describes the image as it was written, because it is made by reading the image back. If `out` is a
/// symbolic link, the file that it leads to is replaced. A device or a pipe gets the image when the image
/// is complete.
///
/// # Errors
/// Those of [`archive::write`], always as [`Error::At`]. Also if `out` is a directory, or the same file as
/// the manifest or as one of the inputs; and if one of [`onto`](CreateOptions::onto) is damaged.
pub fn create(
    out: &Path,
    tree: &Tree,
    options: &CreateOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let image_file = OutFile::at(out)?;
    let manifest_file = options.manifest.map(OutFile::at).transpose()?;
    let inputs = [options.inputs, options.onto].concat();
    refuse_to_destroy(&image_file, manifest_file.as_ref(), tree, &inputs)?;
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
    let mut out = BufWriter::new(image.file());
    let has_early = options.early.entries().next().is_some();
    if has_early {
        let early = Compression::None;
        out = write_archive(out, &options.early, early, options, &mut |_| {})?;
    }
    for base in options.onto {
        copy_image(base, &mut out)?;
    }
    let is_empty = tree.entries().next().is_none();
    if !is_empty || (options.onto.is_empty() && !has_early) {
        out = write_archive(out, tree, options.compression, options, progress)?;
    }
    out.flush().map_err(Error::Output)
}

fn write_archive<'a>(
    out: BufWriter<&'a File>,
    tree: &Tree,
    compression: Compression,
    options: &CreateOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<BufWriter<&'a File>, Error> {
    if compression == Compression::None {
        // No encoder here, so that the kernel copies the files.
        return archive::write_with_progress(tree, options.mtime, out, progress);
    }
    let encoder = compression.encoder(options.jobs, out);
    // Without this buffer, io::copy writes 8 KiB at a time, and zstd takes a lock for each write.
    let encoder = BufWriter::with_capacity(PIECE, encoder.map_err(Error::Output)?);
    archive::write_with_progress(tree, options.mtime, encoder, progress)?
        .into_inner()
        .map_err(|error| Error::Output(error.into_error()))?
        .finish()
        .map_err(Error::Output)
}

/// Copies a whole image, and pads it, so that another archive can follow.
fn copy_image(path: &Path, out: &mut BufWriter<&File>) -> Result<(), Error> {
    let (mut file, _) = source::open(path)?;
    let at = |error| Error::at(path, error);
    // What Linux cannot read to its end, it would not read any further.
    let mut last = None;
    let mut reader = Reader::new(&file);
    while let Some(item) = reader.next_item().map_err(|error| error.of(path))? {
        if let Item::Archive(archive) = item {
            last = archive.format;
        }
    }
    file.rewind().map_err(at)?;
    io::copy(&mut file, out).map_err(Error::Output)?;
    let size = out.stream_position().map_err(Error::Output)?;
    let mut padding = size.next_multiple_of(archive::BLOCK) - size;
    if last == Some(Format::Lz4) {
        // Four NULs end it. Without them, Linux would take the next archive for more of its data.
        padding += archive::BLOCK;
    }
    let padding = vec![0; padding as usize];
    out.write_all(&padding).map_err(Error::Output)
}
