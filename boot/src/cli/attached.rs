//! The arguments about what is attached to a guest in QEMU.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use anyhow::Result;
use boot::machine::attached::{Attached, Disk, Share};
use boot::machine::network::Forward;
use boot::verdict::exit_code::Usage;
use clap::Args;

/// A network, disks, and directories of the host.
#[derive(Args)]
pub struct AttachedArgs {
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Give the guest a disk with the bytes of FILE: the first is /dev/vda. With :rw, FILE keeps what the guest writes;
    /// otherwise, that is lost when the guest ends. QEMU only
    #[arg(long, value_name = "FILE[:rw]")]
    pub disk: Vec<OsString>,

    /// Offer the guest the directory DIR of this machine: mount -t 9p -o trans=virtio TAG /mnt; rw makes it writable
    /// [default TAG: share]. QEMU only
    #[arg(long, value_name = "DIR[:TAG][:rw]")]
    pub share: Vec<OsString>,
}

/// A network that `boot` and `boot run` can give a guest.
#[derive(Args)]
pub struct NetworkArgs {
    /// Give the guest a network: it reaches what this machine reaches, and this machine itself at 10.0.2.2. QEMU only
    #[arg(long)]
    pub net: bool,

    /// Pass connections to the port HOST of 127.0.0.1 on to the port GUEST of the guest (TCP); implies --net
    #[arg(long, value_name = "HOST:GUEST", value_parser = forward)]
    pub forward: Vec<Forward>,
}

/// The tag if the user names none.
const TAG: &str = "share";

/// The longest tag in bytes that QEMU accepts (MAX_TAG_LEN in hw/9pfs/9p.h, with the NUL).
const MAX_TAG: usize = 31;

impl NetworkArgs {
    /// The ports of the network, if the guest has one.
    pub fn ports(&self) -> Option<Vec<Forward>> {
        (self.net || !self.forward.is_empty()).then(|| self.forward.clone())
    }
}

impl AttachedArgs {
    /// The devices. Fails if a file or a directory cannot be attached.
    pub fn attached(&self) -> Result<Attached> {
        let disks = self.disk.iter().map(|text| disk(text));
        let mut shares: Vec<Share> = vec![];
        for text in &self.share {
            let share = share(text)?;
            if shares.iter().any(|other| other.tag == share.tag) {
                let (path, tag) = (share.path.display(), &share.tag);
                return Err(usage(
                    "share",
                    text,
                    &format!(
                        "two directories have the tag {tag}; name another one, as in --share {path}:TAG"
                    ),
                ));
            }
            shares.push(share);
        }
        Ok(Attached {
            network: self.network.ports(),
            disks: disks.collect::<Result<_>>()?,
            shares,
        })
    }
}

fn usage(option: &str, text: &OsStr, what: &str) -> anyhow::Error {
    Usage(format!("--{option} {}: {what}", text.to_string_lossy())).into()
}

/// `text` without `suffix` at its end, and whether it was there.
fn without<'text>(text: &'text OsStr, suffix: &str) -> (&'text OsStr, bool) {
    let rest = text.as_bytes().strip_suffix(suffix.as_bytes());
    (rest.map_or(text, OsStr::from_bytes), rest.is_some())
}

fn forward(text: &str) -> Result<Forward, String> {
    let ports = text.split_once(':');
    let port = |port: &str| port.parse().ok().filter(|port: &u16| *port != 0);
    ports
        .and_then(|(host, guest)| Some((port(host)?, port(guest)?)))
        .map(|(host, guest)| Forward { host, guest })
        .ok_or("give a port of this machine and one of the guest, as in 8080:80".into())
}

fn disk(text: &OsStr) -> Result<Disk> {
    let (path, kept) = without(text, ":rw");
    let usage = |what: &str| usage("disk", text, what);
    let error = |error: std::io::Error| usage(&error.to_string());
    let path = fs::canonicalize(path).map_err(error)?;
    let metadata = path.metadata().map_err(error)?;
    if !metadata.is_file() && !metadata.file_type().is_block_device() {
        return Err(usage(
            "this is not a file; name a file with the bytes of a disk",
        ));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(usage(
            "this file is empty; give it a size, for example with truncate -s 64M",
        ));
    }
    let mut options = fs::OpenOptions::new();
    options.read(true).write(kept).open(&path).map_err(error)?;
    Ok(Disk { path, kept })
}

fn share(text: &OsStr) -> Result<Share> {
    let usage = |what: &str| usage("share", text, what);
    let (rest, writable) = without(text, ":rw");
    let bytes = rest.as_bytes();
    let (path, tag) = match bytes.iter().rposition(|byte| *byte == b':') {
        Some(place) => (&bytes[..place], &bytes[place + 1..]),
        None => (bytes, TAG.as_bytes()),
    };
    // QEMU also has the tag as the name of its own device.
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    let tag = std::str::from_utf8(tag).unwrap_or_default();
    let begins_well = tag.starts_with(|first: char| first.is_ascii_alphabetic());
    if !begins_well || tag.len() > MAX_TAG || !tag.as_bytes().iter().all(is_name) {
        return Err(usage(
            "a tag begins with a letter, and has letters, digits, and the characters - . _, up to 31 of them",
        ));
    }
    let path = PathBuf::from(OsStr::from_bytes(path));
    let path = path
        .canonicalize()
        .map_err(|error| usage(&error.to_string()))?;
    if !path.is_dir() {
        return Err(usage("this is not a directory; name a directory"));
    }
    Ok(Share {
        path,
        tag: tag.into(),
        writable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem<Attachment: std::fmt::Debug>(result: Result<Attachment>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_forward_has_two_ports() {
        let expected = Forward {
            host: 8080,
            guest: 80,
        };
        assert_eq!(forward("8080:80"), Ok(expected));
        for wrong in ["80", "0:80", "80:", "a:80", "65536:1", "1:2:3"] {
            assert!(forward(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_disk_is_a_file_with_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap().join("disk");
        fs::write(&path, "").unwrap();
        assert!(problem(disk(path.as_ref())).ends_with("truncate -s 64M"));
        fs::write(&path, "bytes").unwrap();
        let mut text = path.clone().into_os_string();
        assert_eq!(
            disk(&text).unwrap(),
            Disk {
                path: path.clone(),
                kept: false
            }
        );
        text.push(":rw");
        assert_eq!(disk(&text).unwrap(), Disk { path, kept: true });
        assert!(problem(disk("/dev/null".as_ref())).ends_with("with the bytes of a disk"));
        assert!(
            problem(disk("/no/such".as_ref())).ends_with("No such file or directory (os error 2)")
        );
    }

    #[test]
    fn a_share_has_a_tag_and_a_mode() {
        for (text, tag, writable) in [
            ("/proc", "share", false),
            ("/proc:rw", "share", true),
            ("/proc:home", "home", false),
            ("/proc:home:rw", "home", true),
        ] {
            let expected = Share {
                path: "/proc".into(),
                tag: tag.into(),
                writable,
            };
            assert_eq!(share(text.as_ref()).unwrap(), expected);
        }
        for wrong in [
            "/proc:",
            "/proc:a,b",
            "/proc:1",
            &format!("/proc:{}", "a".repeat(32)),
        ] {
            assert!(
                problem(share(wrong.as_ref())).contains("a tag begins with a letter"),
                "{wrong}"
            );
        }
        assert!(problem(share("/etc/passwd".as_ref())).ends_with("name a directory"));
        let two = AttachedArgs {
            network: NetworkArgs {
                net: false,
                forward: vec![],
            },
            disk: vec![],
            share: vec!["/proc".into(), "/dev".into()],
        };
        assert_eq!(
            problem(two.attached()),
            "--share /dev: two directories have the tag share; name another one, as in --share /dev:TAG"
        );
    }
}
