//! Messages about the root file system that the kernel mounts itself.

use super::{Cause, Row, Words, row};

pub(super) const MESSAGES: &[Row] = &[row(
    "VFS: Cannot open root device ",
    cannot_open,
    "init/do_mounts.c",
)];

/// `"NAME" or unknown-block(MAJOR,MINOR)`, `unknown-block(MAJOR,MINOR)`, `not enough memory`.
pub(super) const PANICS: &[Row] = &[
    row("VFS: Unable to mount root fs", unable, "init/do_mounts.c"),
    row(
        "Could not decompress initial ramdisk image",
        |_| {
            Some(Cause::UnpackingFailed {
                reason: "Could not decompress initial ramdisk image".into(),
            })
        },
        "init/do_mounts_rd.c",
    ),
];

/// `"NAME" or BLOCK: error -ERRNO`
fn cannot_open(rest: &str) -> Option<Cause> {
    let name = rest.strip_prefix('"')?.split_once('"')?.0;
    // Without a name, root= is missing, and the panic tells as much.
    (!name.is_empty()).then(|| Cause::NoRoot {
        device: Some(name.to_owned()),
        found: false,
        unpacked: None,
    })
}

fn unable(rest: &str) -> Option<Cause> {
    let rest = rest.strip_prefix(" on ").unwrap_or(rest);
    let name = rest
        .strip_prefix('"')
        .and_then(|rest| Some(rest.split_once('"')?.0));
    let number = rest
        .split_once("block(")
        .and_then(|(_, rest)| Some(rest.split_once(')')?.0));
    let found = number.is_some_and(|number| !number.starts_with("0,"));
    let device = name.filter(|name| !name.is_empty());
    Some(Cause::NoRoot {
        // A kernel that knows no name has its number.
        device: device
            .or(number.filter(|_| found))
            .map(|device| device.to_owned()),
        found,
        unpacked: None,
    })
}

pub(super) fn none(device: Option<&str>, found: bool, unpacked: Option<bool>) -> Words {
    let kind = "no-root";
    match (device, found) {
        (Some(device), true) => Words::new(
            kind,
            format!("the kernel cannot mount {device} as its root file system"),
            "Build the kernel with the file system's driver (=y, because there is no initramfs that could load a module), or correct \
             root= or rootfstype=. The lines \"tried:\" or \"List of all bdev filesystems\" have the file systems that this kernel \
             knows.",
        )
        .because("the device is there, but no file system that the kernel knows accepts it"),
        (Some(device), false) => Words::new(
            kind,
            format!("the kernel cannot mount its root file system: it has no device {device}"),
            "The lines before the panic list the devices that the kernel knows. If the list is empty, the kernel has no driver for \
             the disk: build it in (for example CONFIG_VIRTIO_BLK=y and CONFIG_VIRTIO_PCI=y), or load it from an initramfs. If the \
             disk has another name there, correct root=; rootwait helps if it appears too late. If an initramfs should have mounted \
             it, the kernel did not use that: it was not given one, could not unpack it, or found no /init in it.",
        ),
        (None, _) => {
            let (meaning, help) = match unpacked {
                Some(true) => (
                    "it found no /init in the initramfs, and was not told of a disk instead",
                    "The initramfs must have the file /init at its top level, or the file that rdinit= names; a dangling link, or one that leads \
                     back to itself, does not count. `packer list` or `cpio -t` lists the files. If the kernel could not unpack all of it, an \
                     earlier message says so.",
                ),
                Some(false) => (
                    "it used no initramfs",
                    "The kernel was given no initramfs, or was built without CONFIG_BLK_DEV_INITRD=y, or rejected it, which a message with \"initrd\" \
                     says. Without an initramfs, root= must name a disk.",
                ),
                None => (
                    "it used no initramfs, or found no init in it",
                    "Either the kernel was built without CONFIG_BLK_DEV_INITRD=y, or the initramfs has no /init, and the kernel \
                     looked for a disk instead.",
                ),
            };
            Words::new(kind, "the kernel has no root file system", help).because(meaning)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_is_named() {
        for (rest, device, found) in [
            (" on unknown-block(0,0)", None, false),
            (" on \"\" or unknown-block(0,0)", None, false),
            (
                " on \"/dev/vda1\" or unknown-block(0,0)",
                Some("/dev/vda1"),
                false,
            ),
            (
                " on \"/dev/vda1\" or unknown-block(254,1)",
                Some("/dev/vda1"),
                true,
            ),
            (" on unknown-block(8,1)", Some("8,1"), true),
            (": not enough memory", None, false),
        ] {
            let device = device.map(str::to_owned);
            assert_eq!(
                unable(rest),
                Some(Cause::NoRoot {
                    device,
                    found,
                    unpacked: None
                }),
                "{rest}"
            );
        }
        let cause = cannot_open("\"sda1\" or unknown-block(0,0): error -6");
        let device = Some("sda1".to_owned());
        assert_eq!(
            cause,
            Some(Cause::NoRoot {
                device,
                found: false,
                unpacked: None
            })
        );
    }
}
