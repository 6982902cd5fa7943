//! Messages about the root file system that the kernel mounts itself.

use super::{Cause, Row, Words, row};

pub(super) const MESSAGES: &[Row] = &[
    row(
        "VFS: Cannot open root device ",
        cannot_open,
        "init/do_mounts.c",
    ),
    // Before 5.0 followed by ", trying floppy".
    row(
        "VFS: Unable to mount root fs via ",
        |_| {
            Some(Cause::NoRoot {
                device: Some("/dev/nfs".into()),
                found: false,
                unpacked: None,
            })
        },
        "init/do_mounts.c",
    ),
];

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
    // Without a name, root= is missing, and the panic tells as much. Before 6.5, that was "(null)".
    let is_name = !matches!(name, "" | "(null)");
    is_name.then(|| Cause::NoRoot {
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
    let device = name.filter(|name| !matches!(*name, "" | "(null)"));
    Some(Cause::NoRoot {
        // A kernel that knows no name has its number.
        device: device
            .or(number.filter(|_| found))
            .map(|device| device.to_owned()),
        found,
        unpacked: None,
    })
}

/// Devices that are no disks of the kernel.
struct Class {
    /// The beginnings of their names.
    names: &'static [&'static str],
    meaning: &'static str,
    help: &'static str,
}

impl Class {
    fn has(&self, device: &str) -> bool {
        self.names.iter().any(|name| device.starts_with(name))
    }
}

const NO_INITRAMFS: &str = "The kernel did not use the initramfs: the boot loader passed none (with GRUB, the line initrd of the entry), or the kernel could not unpack it, or found no \
                            /init in it; its earlier messages say so. Build it for this kernel version, and add it to the entry.";

#[rustfmt::skip] // A table.
const CLASSES: &[Class] = &[
    Class { names: &["UUID=", "LABEL=", "/dev/disk/"], meaning: "only an initramfs finds a disk by this name", help: "The kernel itself knows names such as /dev/vda1, PARTUUID=... and PARTLABEL=..., \
        but no UUID and no label of a file system. Either an initramfs was not used: the boot loader passed none, or the kernel could not unpack it, or found no /init in it, which its \
        earlier messages say. Or let root= name the partition in the kernel's way." },
    Class { names: &["/dev/mapper/", "/dev/dm-", "/dev/md/", "ZFS=", "zfs"], meaning: "only an initramfs can set up this device", help: NO_INITRAMFS },
    Class { names: &["/dev/nfs", "nfs"], meaning: "the NFS server did not give it this file system", help: "If there is no line \"IP-Config: Complete\" above, the kernel has no network: it needs \
        a built-in driver for the network card, CONFIG_IP_PNP=y, and ip=dhcp on its command line. If there is one, look at rootserver= and at nfsroot=SERVER:DIRECTORY, at the server's \
        exports, and at its version of NFS: the kernel tries NFS 2 or 3 by default, over UDP in old kernels (nfsroot=...,v3,tcp). The kernel needs CONFIG_ROOT_NFS=y." },
    // A device's number 1,N is that of a RAM disk.
    Class { names: &["/dev/ram", "ram", "1,"], meaning: "a RAM disk is empty, unless the boot loader has passed an initrd", help: "The boot loader passed no initrd, or at a wrong address, or the \
        kernel rejected it, which a message with \"initrd\" or \"initramfs\" says. With an initramfs, root=/dev/ram is not needed; the kernel comes here only if it found no /init in it." },
];

pub(super) fn none(device: Option<&str>, found: bool, unpacked: Option<bool>) -> Words {
    let kind = "no-root";
    let class = device.and_then(|device| CLASSES.iter().find(|class| class.has(device)));
    if let (Some(device), Some(class)) = (device, class) {
        let sentence = format!("the kernel cannot mount {device} as its root file system");
        return Words::new(kind, sentence, class.help).because(class.meaning);
    }
    match (device, found) {
        (Some(device), true) => Words::new(
            kind,
            format!("the kernel cannot mount {device} as its root file system"),
            "Build the kernel with the file system's driver (=y, because there is no initramfs that could load a module), or correct \
             root= or rootfstype=. The lines \"tried:\" or \"List of all bdev filesystems\" list the file systems that this kernel \
             knows.",
        )
        .because("the device is there, but its file system is damaged, or not one that the kernel knows"),
        (Some(device), false) => Words::new(
            kind,
            format!("the kernel cannot mount its root file system: it has no device {device}"),
            "The lines before the panic list the devices that the kernel knows. If the list is empty, the kernel has no driver for \
             the disk: build it in (for example CONFIG_VIRTIO_BLK=y and CONFIG_VIRTIO_PCI=y), or load it from an initramfs. If the \
             list has the disk under another name, correct root=; rootwait helps if it appears too late. If an initramfs should have mounted \
             the disk, the kernel did not use it: it was given none, could not unpack it, or found no /init in it.",
        ),
        (None, _) => {
            let (meaning, help) = match unpacked {
                Some(true) => (
                    "it found no /init in the initramfs, and root= names no disk",
                    "The initramfs must have the file /init at its top level, or the file that rdinit= names; a dangling link, or one that leads \
                     back to itself, does not count. `packer list` or `cpio -t` lists the files. If the kernel could not unpack all of it, an \
                     earlier message says so.",
                ),
                Some(false) => (
                    "it used no initramfs",
                    "The kernel was given no initramfs, or was built without CONFIG_BLK_DEV_INITRD=y, or rejected it; then a message with \"initrd\" \
                     says why. Without an initramfs, root= must name a disk.",
                ),
                None => (
                    "it used no initramfs, or found no init in it",
                    "If an initramfs should have mounted it, the kernel was given none, or was built without CONFIG_BLK_DEV_INITRD=y, or could not \
                     unpack it, or found no /init in it. If not, root= on its command line must name a disk.",
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
            (" on \"(null)\" or unknown-block(0,0)", None, false),
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
        assert_eq!(
            cannot_open("\"(null)\" or unknown-block(0,0): error -6"),
            None
        );
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

    #[test]
    fn a_device_that_is_no_disk_gets_its_own_advice() {
        for (device, part) in [
            ("UUID=1234", "PARTUUID="),
            ("/dev/mapper/vg-root", "initrd"),
            ("/dev/nfs", "nfsroot="),
            ("1,0", "initrd"),
            ("/dev/ram0", "initrd"),
            ("/dev/vda1", "CONFIG_VIRTIO_BLK"),
            ("PARTUUID=1234-02", "CONFIG_VIRTIO_BLK"),
        ] {
            assert!(
                none(Some(device), false, None).help.contains(part),
                "{device}"
            );
        }
    }
}
