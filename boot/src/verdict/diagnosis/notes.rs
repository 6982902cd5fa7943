//! Messages about problems that a guest survives. They may explain what happens after them.

use serde::Serialize;

/// A problem that a guest survives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The kind; these names never change.
    pub kind: &'static str,
    /// What the message means, and what to do.
    pub help: &'static str,
    /// The message.
    pub said: String,
    /// The number of its line, from 1, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// A part of a message, the kind of the note, and its meaning.
type Row = (Place, &'static str, &'static str, &'static str);

/// Where in the message the part is.
#[derive(Clone, Copy)]
enum Place {
    Start,
    Anywhere,
}
use Place::{Anywhere, Start};

#[rustfmt::skip] // A table.
const NOTES: &[Row] = &[
    // kernel/panic.c: "WARNING: CPU: 0 PID: 1 at FILE:LINE", since 6.18 "WARNING: FILE:LINE at FUNCTION, CPU#0: NAME/PID".
    (Start, "WARNING: CPU: ", "warning", "The kernel found a state that should not occur, and continued. The stack trace below the message says where."),
    (Start, "WARNING: ", "warning", "The kernel or a program printed a warning, and continued."),
    // arch/x86/kernel/cpu/mce
    (Anywhere, "[Hardware Error]: ", "hardware-error", "The hardware reported an error of its memory, a cache or a bus."),
    // mm/oom_kill.c
    // lib/ubsan.c
    (Start, "UBSAN: ", "warning", "The kernel found code that does something undefined, and continued. The line says where."),
    (Start, "Memory cgroup out of memory: ", "cgroup-out-of-memory", "A group of processes reached the memory limit that the guest has set for it, and the kernel killed one of them."),
    // kernel/printk/printk.c, drivers/tty/serial/earlycon.c, init/main.c
    (Start, "Malformed early option ", "bad-parameter", "The value of this parameter is not what the kernel expects; the parameter has no effect."),
    (Start, "earlycon: no match for ", "bad-parameter", "The kernel has no driver for the console that earlycon= names."),
    (Start, "Unknown kernel command line parameters ", "bad-parameter", "The kernel does not know these parameters, and passes them to init. A misspelled one has no effect; a few, such as nokaslr, had their effect before."),
    // fs/*/super.c, fs/buffer.c
    (Anywhere, "Buffer I/O error on dev", "disk-error", "A disk could not be read or written: the image may be cut short, or the host's disk is full."),
    (Anywhere, "I/O error, dev ", "disk-error", "A disk could not be read or written: the image may be cut short, or the host's disk is full."),
    (Start, "EXT4-fs error", "file-system-error", "A file system has an error. Run fsck on it, or build the image again."),
    (Anywhere, "XFS: Corruption", "file-system-error", "A file system has an error. Run xfs_repair on it, or build the image again."),
    // edk2 MdeModulePkg/Universal/BdsDxe
    (Anywhere, "BdsDxe: failed to ", "boot-entry", "The firmware could not start this entry of its boot menu: there is no EFI/BOOT/BOOTX64.EFI (Arm: BOOTAA64.EFI) on \
        the disk, or it is for another architecture, or not signed."),
    (Anywhere, "): unable to read superblock", "file-system-error", "The device is smaller than its file system, or not ready: a RAID that is not assembled, or a disk that is still starting."),
    (Anywhere, "): VFS: Can't find ext4 filesystem", "file-system-error", "The device has another file system than ext4, or none, or its beginning was overwritten. `blkid` says what it has."),
    (Anywhere, "SQUASHFS error: ", "file-system-error", "The image is damaged or cut short, or the flash or the disk below it cannot be read. Write the image again."),
    (Anywhere, "Unmount and run xfs_repair", "file-system-error", "A file system has an error. Run xfs_repair on it while it is not mounted."),
    (Anywhere, "open_ctree failed", "file-system-error", "btrfs could not mount this file system; the lines before say why: a missing device (the option degraded mounts without it), or damage."),
    (Anywhere, "device-mapper: verity: ", "file-system-error", "The device is not what its dm-verity hash says: it was changed or damaged, or the hash is that of another image."),
    (Anywhere, "UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY", "file-system-error", "A file system has errors that fsck does not repair by itself. Run `fsck -y` on it while it is not mounted."),
    // drivers/mtd/ubi
    (Anywhere, "UBI error: ", "flash-error", "UBI could not use this part of the flash: it has no UBI image, or one for another layout, or it was not written completely. Write the image again."),
    (Start, "ubi0 error: ", "flash-error", "UBI could not use this part of the flash: it has no UBI image, or one for another layout, or it was not written completely. Write the image again."),
    // drivers/mmc, drivers/nvme; U-Boot drivers/mmc/mmc.c
    (Anywhere, "whilst initialising SD card", "disk-error", "The card does not answer: it is not in its slot, or faulty, or its power or its clock is wrong (device tree)."),
    (Anywhere, "Card did not respond to voltage select", "missing-device", "U-Boot found no card and no eMMC at this slot."),
    (Anywhere, ": Device not ready; aborting ", "disk-error", "The NVMe disk does not answer. nvme_core.default_ps_max_latency_us=0 and pcie_aspm=off \
        on the kernel's command line help if its power saving is the reason."),
    // drivers/base/dd.c
    (Anywhere, ": deferred probe pending", "missing-device", "A driver waits for another device (a clock, a regulator, a pin controller) that has no driver in this kernel, or that the device tree describes in another way. \
        If it is that of the disk, the disk does not appear."),
    // net/ipv4/ipconfig.c, net/9p/trans_virtio.c
    (Start, "IP-Config: No network devices available", "no-network", "The kernel has no built-in driver for a network card, or there is none."),
    (Start, "nfs: server ", "no-network", "The NFS server did not answer for some time: the network, the server, or a firewall."),
    (Start, "IP-Config: Retrying forever", "no-network", "No DHCP server answers: the cable, or the network has none for this machine."),
    (Anywhere, "no channels available for device", "missing-device", "The 9p file system with this name is not there: QEMU was started without it (-virtfs, mount_tag=), or the kernel lacks \
        CONFIG_NET_9P_VIRTIO=y and CONFIG_VIRTIO_PCI=y."),
    // dracut modules.d/99base/dracut-lib.sh, modules.d/98dracut-systemd
    (Anywhere, "dracut-initqueue timeout", "missing-device", "dracut waits in vain for a device that root=, rd.luks, rd.lvm or rd.md on the kernel's command line names, or for the network."),
    (Anywhere, "dracut-initqueue: timeout", "missing-device", "dracut waits in vain for a device that root=, rd.luks, rd.lvm or rd.md on the kernel's command line names, or for the network."),
    (Anywhere, "Failed to start systemd-cryptsetup@", "failed-unit", "An encrypted disk was not unlocked. If the unit was not found, the initramfs lacks systemd-cryptsetup and its generator."),
    // NixOS nixos/modules/system/boot/stage-1-init.sh
    (Anywhere, ", trying to mount anyway.", "missing-device", "Stage 1 of NixOS waited for this device in vain: its name is wrong, or the initrd lacks its driver."),
    // systemd src/core/job.c, unit.c
    (Anywhere, "Timed out waiting for device ", "missing-device", "systemd waited for this device in vain: its name in /etc/fstab or /etc/crypttab is wrong, or its driver is missing."),
    (Anywhere, "[FAILED] ", "failed-unit", "A unit of systemd failed. `systemctl status UNIT` says why."),
    (Anywhere, ": Failed with result ", "failed-unit", "A unit of systemd failed. `systemctl status UNIT` says why."),
    // kmod, kernel/module
    (Anywhere, "modprobe: FATAL: ", "no-module", "A module is not in /lib/modules/VERSION (`uname -r` prints the version of this kernel), or was built for another kernel."),
    (Anywhere, "modprobe: can't ", "no-module", "A module is not in /lib/modules/VERSION (`uname -r` prints the version of this kernel), or was built for another kernel."),
    (Anywhere, "disagrees about version of symbol", "no-module", "The module was built for another kernel. Build it for this one, or pack the modules of this one."),
    (Anywhere, ": Unknown symbol ", "no-module", "The module needs another module that is not loaded, or was built for another kernel."),
    (Anywhere, "version magic '", "no-module", "The module was built for another kernel. Build it for this one, or pack the modules of this one."),
    (Anywhere, "insmod: can't insert '", "no-module", "The module was built for another kernel, or needs another module first."),
    // busybox init/init.c, sysvinit src/init.c
    (Start, "can't open /dev/tty", "no-terminal", "busybox's init starts a shell on terminals that this kernel does not have: write an /etc/inittab that names only the serial console \
        (`::respawn:-/bin/sh` for the console itself)."),
    (Start, "can't run '", "no-program", "busybox's init cannot start this program of /etc/inittab: the program or its interpreter is missing, or it is not executable."),
    (Anywhere, "respawning too fast: disabled", "no-program", "A program of /etc/inittab ends at once, each time init starts it."),
    // hw, util/qemu-thread
    (Anywhere, "terminating on signal ", "ended-from-outside", "QEMU was ended by a signal: by a time limit (timeout(1)), by Ctrl-C, or by the end of a CI job."),
    (Start, "qemu-system-", "qemu-warning", "QEMU itself wrote this. It goes on after most of its messages."),
];

/// The note in `message`.
pub fn note(message: &str) -> Option<Note> {
    let matches = |row: &&Row| match row.0 {
        Place::Start => message.starts_with(row.1),
        Place::Anywhere => message.contains(row.1),
    };
    let &(_, _, kind, help) = NOTES.iter().find(matches)?;
    Some(Note {
        kind,
        help,
        said: message.to_owned(),
        line: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_found() {
        for (message, kind) in [
            (
                "WARNING: CPU: 0 PID: 1 at kernel/x.c:12 f+0x1/0x2",
                Some("warning"),
            ),
            (
                "WARNING: kernel/x.c:12 at f+0x1/0x2, CPU#0: sh/1",
                Some("warning"),
            ),
            (
                "can't open /dev/tty2: No such file or directory",
                Some("no-terminal"),
            ),
            (
                "qemu-system-x86_64: terminating on signal 15 from pid 3 (timeout)",
                Some("ended-from-outside"),
            ),
            ("EXT4-fs (vda): mounted filesystem", None),
            ("Hello", None),
        ] {
            assert_eq!(note(message).map(|note| note.kind), kind, "{message}");
        }
    }
}
