//! A suite's release index: fetched, its signature checked, and through it the package index.
//!
//! Trust goes keyring -> `InRelease` (signed) -> SHA-256 of `Packages.xz` -> SHA-256 of every `.deb`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::index::Index;

/// Where indexes come from and who may have signed them.
pub struct Archive {
    /// A Debian mirror: the URL of the directory that holds `dists/` and `pool/`.
    pub mirror: String,
    /// Keyring file, as gpgv(1) takes it.
    pub keyring: PathBuf,
    /// A directory for what is downloaded.
    pub scratch: PathBuf,
}

/// A suite whose signature and sums were right.
pub struct Suite {
    /// `Date` of the release index, in the form of the dated archive's addresses: `20260711T101637Z`.
    pub date: String,
    /// Its packages.
    pub index: Index,
}

impl Archive {
    /// Fetches and checks one suite, with its packages for `architecture` (Debian's name of it).
    pub fn suite(&self, name: &str, architecture: &str) -> Result<Suite> {
        let packages = format!("main/binary-{architecture}/Packages.xz");
        let signed = self.fetch(&format!("dists/{name}/InRelease"))?;
        let release = verify(&signed, &self.keyring)?;
        let expected = sum_of(&release, &packages).with_context(|| format!("suite {name}"))?;
        let path = self.fetch(&format!("dists/{name}/{packages}"))?;
        check(&std::fs::read(&path)?, expected)
            .with_context(|| format!("dists/{name}/{packages}"))?;
        let text = run(Command::new("xz").arg("-dc").arg(&path))?;
        Ok(Suite {
            date: date(&release)?,
            index: Index::parse(&text)?,
        })
    }

    /// Downloads a file below the mirror's root and returns where it is.
    pub fn fetch(&self, path: &str) -> Result<PathBuf> {
        let url = format!("{}/{path}", self.mirror.trim_end_matches('/'));
        let file = self.scratch.join(path.replace('/', "_"));
        let curl = ["-fsSL", "--retry", "3", "-o"];
        run(Command::new("curl").args(curl).arg(&file).arg(&url)).with_context(|| url.clone())?;
        Ok(file)
    }
}

/// The text that the archive's key signed. Nothing outside of the signature is ever read.
fn verify(signed: &Path, keyring: &Path) -> Result<String> {
    let text = signed.with_extension("verified");
    let mut gpgv = Command::new("gpgv");
    gpgv.arg("--keyring").arg(keyring);
    gpgv.arg("--output").arg(&text).arg(signed);
    run(&mut gpgv).context("the release index's signature is not by a key of the keyring")?;
    Ok(std::fs::read_to_string(&text)?)
}

/// Fails with what was found when `bytes` do not have the SHA-256 `expected` (hexadecimal).
pub fn check(bytes: &[u8], expected: &str) -> Result<()> {
    let found = format!("{:x}", Sha256::digest(bytes));
    ensure!(
        found == expected,
        "wrong SHA-256: expected {expected}, found {found}"
    );
    Ok(())
}

/// The SHA-256 that a release index gives for a file.
fn sum_of<'a>(release: &'a str, file: &str) -> Result<&'a str> {
    let sums = release.split_once("\nSHA256:\n").map(|(_, sums)| sums);
    let mut lines = sums.into_iter().flat_map(str::lines);
    lines
        .by_ref()
        .take_while(|line| line.starts_with(' '))
        .find_map(
            |line| match line.split_whitespace().collect::<Vec<_>>()[..] {
                [sum, _size, path] if path == file => Some(sum),
                _ => None,
            },
        )
        .with_context(|| format!("no SHA-256 of {file} in the release index"))
}

/// `Date: Sat, 11 Jul 2026 10:16:37 UTC` to `20260711T101637Z`.
fn date(release: &str) -> Result<String> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let line = release.lines().find_map(|line| line.strip_prefix("Date: "));
    let line = line.context("no Date in the release index")?;
    let [_, day, month, year, time, "UTC"] = line.split(' ').collect::<Vec<_>>()[..] else {
        bail!("Date in the release index: cannot read {line:?}");
    };
    let month = MONTHS.find(month).context("Date: unknown month")? / 3 + 1;
    Ok(format!(
        "{year}{month:02}{day:0>2}T{}Z",
        time.replace(':', "")
    ))
}

/// Runs a command whose output is shown only when it fails.
pub fn run(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    ensure!(
        output.status.success(),
        "{name}: {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASE: &str = "Suite: x\nDate: Sat, 1 Jul 2026 10:16:37 UTC\nMD5Sum:\n 11 1 main/a\nSHA256:\n 22 1 main/a\n 33 1 main/b\nSHA512:\n 44 1 main/c\n";

    #[test]
    fn finds_the_sum_in_the_right_section() {
        assert_eq!(sum_of(RELEASE, "main/a").unwrap(), "22");
        assert!(sum_of(RELEASE, "main/c").is_err());
    }

    #[test]
    fn writes_the_date_as_the_dated_archive_does() {
        assert_eq!(date(RELEASE).unwrap(), "20260701T101637Z");
    }

    #[test]
    fn refuses_other_bytes() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        check(b"", empty).unwrap();
        let error = check(b"x", empty).unwrap_err().to_string();
        assert!(error.starts_with("wrong SHA-256"), "{error}");
    }
}
