//! Messages of the first programs: those of an initramfs, and systemd.

use super::{Cause, Row, Words, part, row};

#[rustfmt::skip] // A table.
pub(super) const MESSAGES: &[Row] = &[
    // "ALERT!  UUID=... does not exist.  Dropping to a shell!"
    row("ALERT! ", |rest| rest.contains("does not exist").then(|| shell(NO_ROOT_DEVICE)).flatten(), "initramfs-tools: scripts/local"),
    part("No root device specified", |_| shell(NO_ROOT), "initramfs-tools: scripts/local"),
    part("Spawning shell within the initramfs", |_| shell("break= on the kernel's command line asks for it"), "initramfs-tools: scripts/functions"),
    part("Dropping to a shell!", |_| shell(NO_ROOT_DEVICE), "initramfs-tools: scripts/functions"),
    part("Unable to find a medium containing a live file system", |_| shell(LIVE), "live-boot: components/9990-main.sh"),
    row("(initramfs)", |_| shell("the initramfs of initramfs-tools started a shell"), "initramfs-tools: scripts/functions"),
    row("Warning: /dev/", |rest| rest.ends_with(" does not exist").then(|| shell(NO_ROOT_DEVICE)).flatten(), "dracut: modules.d/99base"),
    part("Warning: Could not boot.", |_| shell(NO_ROOT_DEVICE), "dracut: modules.d/99base"),
    part("Entering emergency mode", |_| shell("dracut started a shell"), "dracut: modules.d/99base"),
    part("dracut: FATAL: ", |_| shell("dracut could not continue"), "dracut: modules.d/99base"),
    part("dracut: Refusing to continue", |_| shell("dracut could not continue"), "dracut: modules.d/99base"),
    row("ERROR: device '", |rest| rest.contains("not found").then(|| shell(NO_ROOT_DEVICE)).flatten(), "mkinitcpio: init_functions"),
    row("ERROR: Failed to mount '", |_| shell("the initramfs of mkinitcpio could not mount the root file system"), "mkinitcpio: init_functions"),
    row("You are now being dropped into an emergency shell.", |_| shell("the initramfs of mkinitcpio started a shell"), "mkinitcpio: init_functions"),
    row("initramfs emergency recovery shell launched.", |_| shell("the initramfs of Alpine did not find the root file system"), "Alpine mkinitfs: initramfs-init.in"),
    row("You are in emergency mode", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.service.in"),
    row("Welcome to emergency mode!", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.service.in, until 220"),
    row("You are in rescue mode", |_| shell("systemd started its rescue mode"), "systemd: units/rescue.service.in"),
    row("Give root password for maintenance", |_| shell("the system asks for root's password before it starts a shell"), "util-linux: login-utils/sulogin.c"),
    row("Press Enter for maintenance", |_| shell("the system waits for a key before it starts a shell"), "util-linux: login-utils/sulogin.c"),

    row("!! Could not find the root block device in ", |_| shell(NO_ROOT_DEVICE), "genkernel: defaults/linuxrc"),
    part("requires a manual fsck", |_| shell(FSCK), "initramfs-tools: scripts/functions"),
    part("Manually import the pool and exit", |_| shell(ZFS), "OpenZFS: contrib/initramfs/scripts/zfs"),
    part("ERROR: ZFS: Unable to import pool", |_| shell(ZFS), "archzfs: src/zfs-utils/zfs-utils.initcpio.hook"),
    part("An error occurred in stage 1 of the boot process", |_| shell(NIXOS), "NixOS: nixos/modules/system/boot/stage-1-init.sh"),
    part("Reached target Emergency Mode", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.target"),
    part("Reached target emergency.target", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.target"),
    part("Started Emergency Shell", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.service.in"),
    part("Started emergency.service", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.service.in"),

    part("Couldn't find specified OSTree root ", |_| shell(OSTREE), "OSTree: src/switchroot/ostree-prepare-root.c"),
    part("Failed to mount /sysroot", |_| shell(SYSROOT), "systemd: src/core/job.c"),
    part("Dependency failed for /sysroot", |_| shell(SYSROOT), "systemd: src/core/job.c"),
    part("Dependency failed for sysroot.mount", |_| shell(SYSROOT), "systemd: src/core/job.c"),
    part("Failed to mount sysroot.mount", |_| shell(SYSROOT), "systemd: src/core/job.c"),
    part("Dependency failed for Initrd Root File System", |_| shell(SYSROOT), "systemd: units/initrd-root-fs.target"),
    part("Dependency failed for initrd-root-fs.target", |_| shell(SYSROOT), "systemd: units/initrd-root-fs.target"),
    part("Failed to switch root: ", |_| shell(SYSTEMD_SWITCH_ROOT), "systemd: src/systemctl/systemctl-switch-root.c"),
    part("Failed to start Switch Root", |_| shell(SYSTEMD_SWITCH_ROOT), "systemd: units/initrd-switch-root.service"),
    part("Failed to start initrd-switch-root.service", |_| shell(SYSTEMD_SWITCH_ROOT), "systemd: units/initrd-switch-root.service"),
    part("oad SELinux policy", |_| gave(SELINUX), "systemd: src/core/selinux-setup.c"),
    part("oad SELinux Policy", |_| gave(SELINUX), "systemd: src/core/selinux-setup.c"),
    part("Caught <", |rest| rest.contains(", dumped core").then(|| gave(SYSTEMD_CRASHED)).flatten(), "systemd: src/core/crash-handler.c"),
    part("Caught <", |rest| rest.contains("> from our own process").then(|| gave(SYSTEMD_CRASHED)).flatten(), "systemd: src/core/crash-handler.c"),
    row("[!!!!!!] ", |_| gave(SYSTEMD), "systemd: src/basic/log.c"),
    part("Freezing execution", |_| gave(SYSTEMD), "systemd: src/core/crash-handler.c"),
    part("Ignition failed: ", |_| gave(IGNITION), "Ignition: internal/main.go"),
    part("Ignition has failed.", |_| gave(IGNITION), "ignition-dracut: dracut/99emergency-timeout/timeout.sh"),
    part("[talos] ", |rest| rest.contains(" sequence: failed").then(|| gave(TALOS)).flatten(), "Talos: internal/app/machined"),
    part("[talos] error running phase ", |_| gave(TALOS), "Talos: internal/app/machined"),
    part("Failed to mount required partitions early", |_| gave(ANDROID_MOUNT), "Android: system/core/init/first_stage_init.cpp"),
    part("init: execv(", |rest| rest.contains(" failed: ").then(|| gave(ANDROID)).flatten(), "Android: system/core/init/first_stage_init.cpp"),
    part("InitFatalReboot: ", |_| gave(ANDROID), "Android: system/core/init/reboot_utils.cpp"),
    part("booster: mount(", |_| gave(SYSROOT), "booster: init/main.go"),
    part(": maximum number of tries exceeded", |_| gave(LUKS), "cryptsetup-initramfs: debian/initramfs/cryptroot-script"),
    // busybox, if it is not PID 1.
    row("Usage: switch_root ", |_| gave(SWITCH_ROOT), "busybox: util-linux/switch_root.c"),
    row("switch_root: ", switch_root, "busybox: util-linux/switch_root.c; util-linux: sys-utils/switch_root.c"),
    row("run-init: ", run_init, "klibc-utils: usr/kinit/run-init"),
    row("/sbin/init: ", run_init, "klibc-utils: usr/kinit/run-init"),
    row("No init found. Try passing init= bootarg.", |_| gave(NO_REAL_INIT), "initramfs-tools: init"),
    row("Target filesystem doesn't have requested ", |_| gave(NO_REAL_INIT), "initramfs-tools: init"),
    row("Cannot find init!", |_| gave(NO_REAL_INIT), "dracut: modules.d/99base/init.sh"),
    row("INIT: No inittab file found", |_| gave("sysvinit has no /etc/inittab"), "sysvinit: src/init.c"),
];

const NO_ROOT_DEVICE: &str = "the device with the root file system did not appear";
const NO_ROOT: &str = "the kernel's command line has no root=";
const NO_REAL_INIT: &str = "the root file system has no init that the initramfs could start";
const SWITCH_ROOT: &str = "switch_root could not start the init of the root file system";
const SYSTEMD_EMERGENCY: &str = "systemd started its emergency mode: a unit that it needs failed, or the kernel's command line asks for this mode";
const LIVE: &str = "live-boot did not find the medium with the system";
const FSCK: &str =
    "the check of the root file system found errors that it does not repair by itself";
const ZFS: &str = "the ZFS pool with the root file system was not imported";
const NIXOS: &str = "stage 1 of NixOS failed";
const SYSROOT: &str = "the initramfs could not mount the root file system";
const OSTREE: &str = "the root file system has no deployment of OSTree with this name";
const SYSTEMD_SWITCH_ROOT: &str = "systemd could not go from the initramfs to the root file system";
const SELINUX: &str = "SELinux is enforcing, and its policy could not be loaded";
const SYSTEMD_CRASHED: &str = "systemd crashed";
const SYSTEMD: &str = "systemd stopped, because it cannot do its work on this system";
const IGNITION: &str = "Ignition could not apply its configuration";
const TALOS: &str = "a step of Talos failed";
const ANDROID_MOUNT: &str = "Android could not mount a partition that it needs";
const ANDROID: &str = "Android's init failed";
const LUKS: &str = "the encrypted disk was not unlocked";

fn shell(reason: &'static str) -> Option<Cause> {
    Some(Cause::EmergencyShell { reason })
}

fn gave(reason: &'static str) -> Option<Cause> {
    Some(Cause::InitGaveUp { reason })
}

/// `can't execute 'PROGRAM': ERROR`, `failed to mount moving DIR to DIR: ERROR`, ... Others are the words of a script.
fn switch_root(rest: &str) -> Option<Cause> {
    const ERRORS: &[&str] = &[
        "can't ", "failed ", "not ", "bad ", "error ", "cannot ", "No such ",
    ];
    let is_error = ERRORS.iter().any(|part| rest.contains(part));
    is_error.then(|| gave(SWITCH_ROOT)).flatten()
}

/// The errors that end run-init. Others with this beginning are messages of the program that it started.
fn run_init(rest: &str) -> Option<Cause> {
    let ends = [
        "No such file or directory",
        "opening console: ",
        "current directory on the same filesystem",
        "not found",
    ];
    let ends = ends.iter().any(|part| rest.contains(part));
    ends.then(|| gave(NO_REAL_INIT)).flatten()
}

/// The advice for a reason. Others get [`OTHER_SHELL`] or "The line says what failed."
#[rustfmt::skip] // A table.
const HELP: &[(&str, &str)] = &[
    (NO_ROOT_DEVICE, "Either root= names the wrong device, or the initramfs lacks the driver of the disk's controller (in QEMU virtio_blk with virtio_pci, \
         virtio_scsi, ahci or nvme) or of something above it (LVM, RAID, LUKS). In the shell, `cat /proc/partitions` lists the devices, \
         `cat /proc/cmdline` shows root=, and `lsmod` the drivers."),
    (NO_ROOT, "Add root=DEVICE to the kernel's command line, for example root=/dev/vda1, or root=UUID=... with the UUID that blkid prints."),
    (SYSTEMD_EMERGENCY, "The lines with [FAILED], \"Failed to\" or \"Timed out\" above name the unit; mostly it is a file system in /etc/fstab, or in the initramfs that of \
         root=, whose device did not appear. `journalctl -xb` has the details. nofail in /etc/fstab lets the system start without it. \
         (systemd.unit=emergency.target on the kernel's command line asks for this mode.)"),
    (LIVE, "The initramfs has no driver for the USB stick, the CD or the disk; or the image was not copied as a whole (dd); or, if it came over the network, fetch= or \
         netboot= is missing on the kernel's command line."),
    (FSCK, "In the shell, `fsck -y DEVICE` repairs it, and `exit` or a restart continues. If it happens again, the disk is failing: read the kernel's messages about it."),
    (ZFS, "In the shell, `zpool import` lists the pools that it sees. If the pool is missing there, the driver of a disk is not in the initramfs, or root= names another pool. \
         If another system used it last, `zpool import -f -N POOL` imports it, and `exit` continues. An older module does not import a pool with newer features."),
    (NIXOS, "The lines above name the step. If a device did not appear, fileSystems.\"/\".device names the wrong one, or boot.initrd.availableKernelModules lacks the driver of \
         its controller (in QEMU virtio_pci and virtio_blk). boot.shell_on_fail on the kernel's command line offers a shell."),
    (SYSROOT, "If a device timed out above, root= names the wrong one, or the initramfs lacks its driver or the program that unlocks or assembles it (LUKS, LVM, RAID). If not, the \
         kernel's message about the file system (EXT4-fs, BTRFS, XFS) says why it rejects it: damage, a missing disk, or an option in rootflags=."),
    (OSTREE, "Either the root file system was not mounted, which lines above say, or root= names another one; or ostree= on the kernel's command line names a deployment that was removed: choose \
         another entry of the boot menu."),
    (SYSTEMD_SWITCH_ROOT, "The mounted root file system must have an os-release file and an init (/sbin/init). If it has none, root= names the wrong partition, or rootflags= the wrong \
         subvolume. `journalctl -u initrd-switch-root` has the message."),
    (SELINUX, "enforcing=0 or selinux=0 on the kernel's command line starts the system. Then install the policy that /etc/selinux/config names, and label the files again \
         (touch /.autorelabel)."),
    (SYSTEMD_CRASHED, "The line above (Assertion ... failed, or segfault at) says where. It is a bug of systemd or of a library, or one of their files is damaged. Boot an older \
         kernel or system, and update or reinstall systemd from there."),
    (SYSTEMD, "The line, or one before it, names what failed. For \"Failed to mount API filesystems\" the kernel lacks options: systemd needs CONFIG_CGROUPS, \
         CONFIG_DEVTMPFS, CONFIG_TMPFS, CONFIG_SYSFS, CONFIG_PROC_FS, CONFIG_UNIX, CONFIG_INOTIFY_USER, CONFIG_SIGNALFD, CONFIG_TIMERFD \
         and CONFIG_EPOLL; systemd's README lists all of them."),
    (IGNITION, "The message names the step: the configuration is not valid (ignition-validate checks it), or a file in it could not be fetched or written. Correct it, and boot a fresh \
         image: Ignition runs only at the first boot."),
    (TALOS, "The line names the step and the error. `talosctl dmesg` and `talosctl logs machined` have more, if the machine still answers."),
    (ANDROID_MOUNT, "The lines with [libfs_mgr] above name the partition and the error: the fstab in the ramdisk or in the device tree is not that of this device, the partition is missing, \
         or its file system or its verity data is damaged."),
    (ANDROID, "The lines of init above name the error. \"execv ... failed\" means that the system partition was not mounted, or has no init."),
    (LUKS, "The passphrase or the key file was wrong, too often. If the passphrase is right, the initramfs may have another keyboard layout, or lack the cipher's modules."),
    (NO_REAL_INIT, "root= names a file system without /sbin/init, or one whose init needs a library or an interpreter that is missing, or is for another \
         architecture. init= on the kernel's command line names another program."),
    (SWITCH_ROOT, "The directory must be a mounted file system that has the program, with its libraries and its interpreter, for this architecture; \
         and switch_root must be PID 1 (start it with exec)."),
];

const OTHER_SHELL: &str = "The lines above say why. In the shell, `cat /proc/cmdline`, `cat /proc/partitions` and the files in /run/initramfs show more.";

fn help(reason: &str) -> Option<&'static str> {
    let row = HELP.iter().find(|(known, _)| *known == reason);
    row.map(|(_, help)| *help)
}

pub(super) fn emergency_shell(reason: &'static str) -> Words {
    Words::new(
        "emergency-shell",
        format!("the system did not start, and waits in an emergency shell: {reason}"),
        help(reason).unwrap_or(OTHER_SHELL),
    )
}

pub(super) fn gave_up(reason: &'static str) -> Words {
    Words::new(
        "init-gave-up",
        format!("init gave up: {reason}"),
        help(reason).unwrap_or("The line says what failed."),
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding;

    #[test]
    fn the_programs_of_distributions_are_known() {
        for (line, kind, part) in [
            (
                "ALERT!  UUID=1-2 does not exist.  Dropping to a shell!",
                "emergency-shell",
                "root=",
            ),
            (
                "[    5.1] dracut-initqueue[268]: Warning: Could not boot.",
                "emergency-shell",
                "virtio_blk",
            ),
            (
                "Warning: /dev/disk/by-uuid/1-2 does not exist",
                "emergency-shell",
                "virtio_blk",
            ),
            (
                "You are in emergency mode. After logging in, type \"journalctl -xb\"",
                "emergency-shell",
                "fstab",
            ),
            (
                "[!!!!!!] Failed to mount API filesystems.",
                "init-gave-up",
                "CONFIG_CGROUPS",
            ),
            (
                "systemd[1]: Freezing execution.",
                "init-gave-up",
                "CONFIG_CGROUPS",
            ),
            (
                "switch_root: can't execute '/sbin/init': No such file or directory",
                "init-gave-up",
                "PID 1",
            ),
            (
                "run-init: /sbin/init: No such file or directory",
                "init-gave-up",
                "init=",
            ),
        ] {
            let words = finding(line).map(|finding| finding.cause.words());
            let words = words.unwrap_or_else(|| panic!("{line}"));
            assert_eq!(words.kind, kind, "{line}");
            assert!(words.help.contains(part), "{line}: {}", words.help);
        }
        for line in [
            "run-init: hello",
            "Warning: /dev/null is fine",
            "ERROR: device busy",
            "root@(initramfs):~#",
        ] {
            assert_eq!(finding(line), None, "{line}");
        }
    }
}
