//! Checks of files before QEMU starts: QEMU's own errors name neither boot's option nor a solution.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files::same_file;

/// Returns `path` if it is a readable file that is not empty. Errors name `what` the file is and the
/// `option` that names it.
pub fn readable(what: &str, option: &str, path: PathBuf) -> Result<PathBuf> {
    let upper = option.to_uppercase();
    let cure = format!("name another {what} with --{option} FILE or BOOT_{upper}=FILE");
    let shown = path.display();
    let metadata = fs::metadata(&path)
        .with_context(|| format!("{shown}: cannot use it as the {what} ({cure})"))?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() {
            "a directory"
        } else {
            "not a regular file"
        };
        bail!("{shown}: cannot use it as the {what}: it is {kind} ({cure})");
    }
    let read = File::open(&path)
        .and_then(|mut file| file.read(&mut [0]))
        .with_context(|| {
            format!("{shown}: cannot read the {what} (change its permissions, or {cure})")
        })?;
    if read == 0 {
        bail!("{shown}: cannot use it as the {what}: it is empty (build it again, or {cure})");
    }
    Ok(path)
}

/// Creates the log. Fails if the path is one of the `inputs`.
pub fn log(path: &Path, inputs: [&Path; 2]) -> Result<File> {
    let shown = path.display();
    if inputs.iter().any(|input| same_file(path, input)) {
        bail!(
            "{shown}: cannot write the log over a file that this boot needs (name another file with --log FILE)"
        );
    }
    File::create(path).with_context(|| {
        format!("{shown}: cannot write the log (name another file with --log FILE)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(path: PathBuf) -> String {
        format!("{:#}", readable("kernel", "kernel", path).unwrap_err())
    }

    #[test]
    fn unusable_files_are_reported() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vmlinux");
        assert!(error(path.clone()).ends_with("No such file or directory (os error 2)"));
        assert!(error(directory.path().into()).contains("it is a directory"));
        assert!(error("/dev/null".into()).contains("it is not a regular file"));
        fs::write(&path, "").unwrap();
        assert!(error(path.clone()).contains("it is empty"));
        fs::write(&path, "x").unwrap();
        assert_eq!(readable("kernel", "kernel", path.clone()).unwrap(), path);
    }

    #[test]
    fn the_log_does_not_overwrite_an_input() {
        let directory = tempfile::tempdir().unwrap();
        let kernel = directory.path().join("vmlinux");
        let link = directory.path().join("log");
        fs::write(&kernel, "precious").unwrap();
        fs::hard_link(&kernel, &link).unwrap();
        let error = log(&link, [&kernel, Path::new("nowhere")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("cannot write the log over"), "{error}");
        assert_eq!(fs::read(&kernel).unwrap(), b"precious");
        log(
            &directory.path().join("other"),
            [&kernel, Path::new("nowhere")],
        )
        .unwrap();
    }
}
