//! Messages of the first programs: those of an initramfs, and systemd.

use super::{Cause, Row, Words, part, row};

#[rustfmt::skip] // A table.
pub(super) const MESSAGES: &[Row] = &[
    // "ALERT!  UUID=... does not exist.  Dropping to a shell!"
    row("ALERT! ", |rest| rest.contains("does not exist").then_some(()).and_then(|()| shell(NO_ROOT_DEVICE)), "initramfs-tools: scripts/local"),
    part("No root device specified", |_| shell(NO_ROOT), "initramfs-tools: scripts/local"),
    part("Spawning shell within the initramfs", |_| shell("break= on the kernel's command line asks for it"), "initramfs-tools: scripts/functions"),
    part("Dropping to a shell!", |_| shell(NO_ROOT_DEVICE), "initramfs-tools: scripts/functions"),
    row("(initramfs)", |_| shell("the initramfs (of initramfs-tools) started a shell"), "initramfs-tools: scripts/functions"),
    row("Warning: /dev/", |rest| rest.ends_with(" does not exist").then_some(()).and_then(|()| shell(NO_ROOT_DEVICE)), "dracut: modules.d/99base"),
    part("Warning: Could not boot.", |_| shell(NO_ROOT_DEVICE), "dracut: modules.d/99base"),
    part("Entering emergency mode", |_| shell("dracut started a shell"), "dracut: modules.d/99base"),
    part("dracut: FATAL: ", |_| shell("dracut could not continue"), "dracut: modules.d/99base"),
    part("dracut: Refusing to continue", |_| shell("dracut could not continue"), "dracut: modules.d/99base"),
    row("ERROR: device '", |rest| rest.contains("not found").then_some(()).and_then(|()| shell(NO_ROOT_DEVICE)), "mkinitcpio: init_functions"),
    row("ERROR: Failed to mount '", |_| shell("the initramfs (of mkinitcpio) could not mount the root file system"), "mkinitcpio: init_functions"),
    row("You are now being dropped into an emergency shell.", |_| shell("the initramfs (of mkinitcpio) started a shell"), "mkinitcpio: init_functions"),
    row("initramfs emergency recovery shell launched.", |_| shell("the initramfs (of Alpine) did not find its root file system"), "Alpine mkinitfs: initramfs-init.in"),
    row("You are in emergency mode", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.service.in"),
    row("Welcome to emergency mode!", |_| shell(SYSTEMD_EMERGENCY), "systemd: units/emergency.service.in, until 220"),
    row("You are in rescue mode", |_| shell("systemd started its rescue mode"), "systemd: units/rescue.service.in"),
    row("Give root password for maintenance", |_| shell("the system asks for root's password before a shell"), "util-linux: login-utils/sulogin.c"),
    row("Press Enter for maintenance", |_| shell("the system waits for a key before a shell"), "util-linux: login-utils/sulogin.c"),

    row("[!!!!!!] ", |_| gave("systemd stopped, because it cannot do its work on this system"), "systemd: src/basic/log.c"),
    part("Freezing execution", |_| gave("systemd stopped, because it cannot do its work on this system"), "systemd: src/core/crash-handler.c"),
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
const NO_REAL_INIT: &str = "the root file system has no init that it could start";
const SWITCH_ROOT: &str = "switch_root could not start the init of the root file system";
const SYSTEMD_EMERGENCY: &str =
    "systemd started its emergency mode, because a unit that it needs failed";

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
    is_error.then_some(()).and_then(|()| gave(SWITCH_ROOT))
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
    ends.then_some(()).and_then(|()| gave(NO_REAL_INIT))
}

pub(super) fn emergency_shell(reason: &'static str) -> Words {
    let help = match reason {
        NO_ROOT_DEVICE => {
            "Either root= names the wrong device, or the initramfs lacks the driver of the disk's controller (in QEMU virtio_blk with virtio_pci, \
             virtio_scsi, ahci or nvme) or of something above it (LVM, RAID, LUKS). In the shell, `cat /proc/partitions` lists the devices, \
             `cat /proc/cmdline` shows root=, and `lsmod` the drivers."
        }
        NO_ROOT => {
            "Add root=DEVICE to the kernel's command line, for example root=/dev/vda1, or root=UUID=... with a number that blkid prints."
        }
        SYSTEMD_EMERGENCY => {
            "The lines with [FAILED] or \"Failed to\" above name the unit; mostly it is a file system in /etc/fstab whose device did not appear. \
             `journalctl -xb` has the details. nofail in /etc/fstab lets the system start without it."
        }
        _ => {
            "The lines above say what failed. In the shell, `cat /proc/cmdline`, `cat /proc/partitions` and the files in /run/initramfs help."
        }
    };
    Words::new(
        "emergency-shell",
        format!("the system did not start, and waits in an emergency shell: {reason}"),
        help,
    )
}

pub(super) fn gave_up(reason: &'static str) -> Words {
    let help = match reason {
        NO_REAL_INIT => {
            "root= names a file system without /sbin/init, or one whose init needs a library or an interpreter that is missing, or is for another \
             architecture. init= on the kernel's command line names another program."
        }
        _ if reason.starts_with("systemd") => {
            "The line names what failed. For \"Failed to mount API filesystems\" the kernel lacks options: systemd needs CONFIG_CGROUPS, \
             CONFIG_DEVTMPFS, CONFIG_TMPFS, CONFIG_SYSFS, CONFIG_PROC_FS, CONFIG_UNIX, CONFIG_INOTIFY_USER, CONFIG_SIGNALFD, CONFIG_TIMERFD \
             and CONFIG_EPOLL; its README lists all."
        }
        _ if reason.starts_with("switch_root") => {
            "The directory must be a mounted file system that has the program, with its libraries and its interpreter, for this architecture; \
             and switch_root must be PID 1 (start it with exec)."
        }
        _ => "The line says what failed.",
    };
    Words::new("init-gave-up", format!("init gave up: {reason}"), help)
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
