//! Output files. They are written after the boot and checked before it, so that an hour of booting does
//! not end with "Permission denied".

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use crate::files::same_file;

/// An output file. It is written completely or not at all.
#[derive(Debug)]
pub struct OutFile {
    what: &'static str,
    file: packer::output::OutFile,
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
        let file = packer::output::OutFile::at(path);
        let file = file.and_then(|file| file.check().map(|()| file));
        let file = file
            .map_err(reason)
            .with_context(|| format!("{shown}: cannot write the {what} ({cure})"))?;
        Ok(OutFile { what, file })
    }

    /// Writes the file.
    pub fn write(&self, contents: &str) -> Result<()> {
        let written = self.file.write(contents.as_bytes());
        written.map_err(reason).with_context(|| {
            let (path, what) = (self.file.path().display(), self.what);
            format!("{path}: cannot write the {what}")
        })
    }
}

/// The error without the path, which the context has.
fn reason(error: packer::Error) -> anyhow::Error {
    match error {
        packer::Error::At { reason, .. } => anyhow!(reason),
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

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
