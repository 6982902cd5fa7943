//! Output files. They are written after the boot and checked before it, so that an hour of booting does
//! not end with "Permission denied".

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use crate::files::same_file;

/// An output file. It is written completely or not at all.
#[derive(Debug)]
pub struct OutFile {
    what: &'static str,
    path: PathBuf,
}

impl OutFile {
    /// The file at `path`, if it can be written and is none of the `others`. `what` is its name in errors
    /// and the name of its option.
    pub fn checked(what: &'static str, path: &Path, others: &[&Path]) -> Result<OutFile> {
        let shown = path.display();
        let cure = format!("name another file with --{what} FILE");
        // Neither file may exist yet.
        let same = |other: &&&Path| **other == path || same_file(path, other);
        if let Some(other) = others.iter().find(same) {
            let other = other.display();
            bail!("{shown}: cannot write the {what} over {other}, which this boot needs ({cure})");
        }
        if path.is_dir() {
            bail!("{shown}: cannot write the {what}: it is a directory ({cure})");
        }
        let file = OutFile {
            what,
            // Replace the target of a link, not the link.
            path: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        };
        file.try_out()
            .with_context(|| format!("{shown}: cannot write the {what} ({cure})"))?;
        Ok(file)
    }

    fn try_out(&self) -> Result<()> {
        if self.in_place() {
            File::options().append(true).open(&self.path)?;
        } else {
            self.beside()?;
        }
        Ok(())
    }

    /// Whether it is a device or a pipe, which must not be replaced.
    fn in_place(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| !file.is_file())
    }

    /// A temporary file in the same directory.
    fn beside(&self) -> Result<NamedTempFile> {
        let directory = match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        // The usual permissions of a new file; the umask applies.
        builder.permissions(Permissions::from_mode(0o666));
        Ok(builder.prefix(".boot-").tempfile_in(directory)?)
    }

    /// Writes the file.
    pub fn write(&self, contents: &str) -> Result<()> {
        let write = || -> Result<()> {
            if self.in_place() {
                let mut file = File::options().append(true).open(&self.path)?;
                return Ok(file.write_all(contents.as_bytes())?);
            }
            let mut file = self.beside()?;
            file.write_all(contents.as_bytes())?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().with_context(|| {
            let (path, what) = (self.path.display(), self.what);
            format!("{path}: cannot write the {what}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(path: &Path, others: &[&Path]) -> String {
        format!(
            "{:#}",
            OutFile::checked("report", path, others).unwrap_err()
        )
    }

    #[test]
    fn a_file_is_complete_and_no_temporary_file_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        let file = OutFile::checked("report", &path, &[]).unwrap();
        assert!(!path.exists());
        file.write("one").unwrap();
        file.write("two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        let plain = directory.path().join("plain");
        fs::write(&plain, "").unwrap();
        assert_eq!(mode, fs::metadata(&plain).unwrap().permissions().mode());
    }

    #[test]
    fn a_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let [real, link] = ["real", "link"].map(|name| directory.path().join(name));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        OutFile::checked("report", &link, &[])
            .unwrap()
            .write("new")
            .unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(link.is_symlink());
    }

    #[test]
    fn a_device_is_written_to() {
        let file = OutFile::checked("report", Path::new("/dev/null"), &[]).unwrap();
        file.write("x").unwrap();
        assert!(file.in_place());
    }

    #[test]
    fn unwritable_paths_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("kernel"), "precious").unwrap();
        fs::hard_link(path("kernel"), path("link")).unwrap();
        assert!(error(directory.path(), &[]).contains("it is a directory"));
        let missing = error(&path("no/report"), &[]);
        assert!(
            missing.contains("cannot write the report (name another file with --report FILE): "),
            "{missing}"
        );
        let same = error(&path("link"), &[&path("kernel")]);
        assert!(same.contains("cannot write the report over "), "{same}");
        let twice = error(&path("new"), &[&path("new")]);
        assert!(twice.contains("which this boot needs"), "{twice}");
        assert_eq!(fs::read(path("kernel")).unwrap(), b"precious");
    }
}
