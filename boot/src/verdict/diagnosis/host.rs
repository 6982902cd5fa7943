//! Messages of QEMU.

use super::{Cause, Row, Words, part, row};

#[rustfmt::skip] // A table.
pub(super) const MESSAGES: &[Row] = &[
    row("KVM internal error.", |_| Some(Cause::KvmError), "QEMU: accel/kvm/kvm-all.c"),
    row("KVM: entry failed, hardware error", |_| Some(Cause::KvmError), "QEMU: target/i386/kvm/kvm.c"),
    row("error: kvm run failed", |_| Some(Cause::KvmError), "QEMU: accel/kvm/kvm-all.c"),
    row("qemu-system-", failure, "QEMU: util/error-report.c"),
    row("qemu: ", error, "QEMU: util/error-report.c"),
    part("Cannot load kernel due to invalid memory configuration or invalid kernel image", not_loaded, "Firecracker: src/vmm/src/builder.rs"),
    part("The kernel file cannot be opened: ", not_loaded, "Firecracker: src/vmm/src/vmm_config/boot_source.rs"),
    part("Error creating the Kvm object: ", |rest| monitor(format!("no KVM: {rest}")), "Firecracker: src/vmm/src/vstate/kvm.rs"),
    part("Error creating KVM object: ", |rest| monitor(format!("no KVM: {rest}")), "Firecracker: src/vmm/src/vstate/kvm.rs"),
    row("Error booting VM: ", |rest| monitor(rest.to_owned()), "Cloud Hypervisor: src/main.rs"),
];

/// A problem of another program that runs guests.
fn monitor(reason: String) -> Option<Cause> {
    Some(Cause::MonitorError { reason })
}

fn not_loaded(rest: &str) -> Option<Cause> {
    let rest = rest.trim_start_matches([':', '.', ' ']);
    let why = if rest.is_empty() {
        String::new()
    } else {
        format!(": {rest}")
    };
    monitor(format!("the kernel cannot be loaded{why}"))
}

pub(super) fn monitor_failed(reason: &str) -> Words {
    let row = MONITOR_HELP.iter().find(|(part, _)| reason.contains(part));
    Words::new(
        "monitor-error",
        format!("the program that runs the guest failed: {reason}"),
        row.map_or("The message names the part that failed.", |(_, help)| help),
    )
}

/// Parts of the reason, and the advice.
#[rustfmt::skip] // A table.
const MONITOR_HELP: &[(&str, &str)] = &[
    ("no KVM", "Firecracker needs KVM: /dev/kvm must be there, and the user must be allowed to open it. In a cloud, that takes a machine with nested virtualization, or a bare one."),
    ("magic", "On x86-64, Firecracker loads an uncompressed ELF vmlinux and no bzImage, and Cloud Hypervisor a vmlinux with CONFIG_PVH=y; on arm64, both load an Image. `file` says what \
         the file is. A download may also have saved a page with an error."),
    ("kernel", "The path is wrong, as this program sees it (in a jail, from its root), or the user may not read the file, or the guest has too little memory for it."),
];

/// `ARCH: MESSAGE`
fn failure(rest: &str) -> Option<Cause> {
    error(rest.split_once(": ")?.1)
}

/// An error, unless it is a warning, or QEMU's message that somebody ended it.
fn error(message: &str) -> Option<Cause> {
    let begins = ["warning: ", "info: ", "terminating on signal "];
    let survives = begins
        .iter()
        .any(|beginning| message.starts_with(beginning))
        || message.contains(": warning: ")
        || message.contains(": info: ");
    // A line with an option begins with it: "-device virtio-foo: 'virtio-foo' is not a valid device model name".
    (!survives && !message.is_empty()).then(|| Cause::QemuError {
        reason: message.to_owned(),
    })
}

/// Whether QEMU always ends with this error: it has found no way to go on (`cpu_abort`).
pub fn is_fatal(reason: &str) -> bool {
    reason.starts_with("fatal: ")
}

pub(super) fn failed(reason: &str) -> Words {
    let sentence = format!("QEMU failed: {reason}");
    let help = help(reason).unwrap_or(
        "Run QEMU's command by hand to see more. `qemu-system-ARCH -help` explains its options.",
    );
    Words::new("qemu-error", sentence, help)
}

pub(super) fn stopped() -> Words {
    Words::new(
        "kvm-error",
        "KVM could not run the guest any further, and QEMU stopped it",
        "The guest may be correct. Try without KVM (boot: --accel tcg; QEMU: -accel tcg), which is slower, but works on every host. If the \
         host is itself a virtual machine, its own host may not support what the guest does (nested virtualization).",
    )
}

/// Advice for one of QEMU's messages.
pub fn help(message: &str) -> Option<&'static str> {
    let row = HELP
        .iter()
        .find(|(parts, _)| parts.iter().any(|part| message.contains(part)));
    row.map(|(_, help)| *help)
}

/// Parts of messages, and the advice.
#[rustfmt::skip] // A table.
const HELP: &[(&[&str], &str)] = &[
    // cpu-common.c: cpu_abort
    (&["outside RAM or ROM"],
        "The CPU has left the code: the kernel or the firmware is for another machine or was loaded at a wrong address, or its stack or its page tables were overwritten. \
         Without -bios, a machine needs a kernel or a firmware that begins where its CPU begins."),
    (&["without PVH ELF Note"],
        "QEMU starts a vmlinux for x86 only at its PVH entry. Build the kernel with CONFIG_PVH=y, or boot its bzImage (arch/x86/boot/bzImage). Some \
         versions of QEMU do not find the entry if the kernel also has a section .note.gnu.property: `objcopy -R .note.gnu.property vmlinux` \
         removes it."),
    (&["could not load kernel", "could not open kernel file", "Couldn't load elf", "could not load elf"],
        "The file is missing, not readable, or a kernel for another architecture. `file` says what it is."),
    (&["is too large to fit in RAM"], "Give the guest more memory (-m; boot: --memory)."),
    (&["initrd is too large", "initrd too large", "could not load initrd", "could not load ram disk", "could not load initial ram disk", "error reading initrd"],
        "The initramfs does not fit into the guest's memory, or cannot be read. Give the guest more memory (-m), or make the initramfs smaller."),
    (&["Could not access KVM kernel module: No such file", "failed to initialize kvm: No such file"],
        "This host has no /dev/kvm: its CPU, its firmware or the virtual machine around it does not offer virtualization, or the module kvm_intel or \
         kvm_amd is not loaded. -accel tcg runs the guest without KVM."),
    (&["Could not access KVM kernel module: Permission denied", "failed to initialize kvm: Permission denied"],
        "The user has no permission to open /dev/kvm. `ls -l /dev/kvm` shows the group that has it. Or run the guest without KVM: -accel tcg."),
    (&["requires KVM"], "This CPU model needs KVM: with -accel tcg, -cpu max has all features that are possible."),
    (&["failed to initialize kvm", "invalid accelerator kvm"],
        "KVM does not work on this host, or this QEMU does not support it. -accel tcg runs the guest without KVM."),
    (&["invalid accelerator"], "`-accel help` lists the accelerators of this QEMU. -accel tcg is in every QEMU."),
    (&["cannot set up guest memory", "Cannot allocate memory"],
        "The host has too little memory for the guest, or the container's limit is too low. Give the guest less memory (-m)."),
    (&["No space left on device"], "A file system of the host is full: that of the disk's image, of the log, or of TMPDIR."),
    (&["Address already in use", "could not set up host forwarding rule", "Could not set up host forwarding rule"],
        "Another program, perhaps another QEMU, uses this port or this socket: use another one, or end that program. Or \
         the port is below 1024, which needs root."),
    (&["failed to find romfile", "could not load PC BIOS", "could not load firmware", "Could not open option rom"],
        "A file that QEMU needs is not installed. On Debian, the packages seabios, ipxe-qemu, qemu-system-data and ovmf have such files. -L DIR \
         names their directory. Without a network card (-nic none), or with an empty romfile= in its -device, QEMU needs no network ROM."),
    (&["unable to find CPU model", "Unable to find CPU definition"], "`-cpu help` lists the CPU models of this QEMU."),
    (&["CPU feature", "Host doesn't support requested feature", "doesn't support requested feature"],
        "The host's CPU or the accelerator lacks this feature. Choose a CPU model without it, or -cpu max, \
         which has all features that are possible here."),
    (&["Some ROM regions are overlapping"],
        "Two files were loaded to the same addresses, for example the kernel and a device tree or a firmware. Give the guest more memory, or another address \
         for one of them. The lines below name both."),
    (&["can't find value"], "`-help` shows the form of the option; a value or a comma is missing."),
    (&["unsupported machine type", "Use -machine help"], "`-machine help` lists the machines of this QEMU."),
    (&["drive with bus=", "drive not found"], "The -drive and the -device do not match: the device names the drive by its id."),
    (&["is not a valid device model name", "Device needs media", "Property '"], "`-device help` lists the devices of this QEMU, and `-device NAME,help` the properties of one. Some devices are in packages of their own."),
    (&["Failed to get \"write\" lock", "Failed to get shared \"write\" lock"],
        "Another process, probably a QEMU, uses this image. End it, or use a copy. Several QEMUs can share an image if none writes to it \
         (-snapshot in each)."),
    (&["Could not open '"], "The file is missing, or the user has no permission to read or write it."),
    (&["gtk initialization failed", "is not available", "Could not initialize SDL", "cannot open display"],
        "QEMU cannot open a window on this host. -nographic or -display none runs the guest without one."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_no_failure() {
        let tcg =
            "x86_64: warning: TCG doesn't support requested feature: CPUID.01H:EDX.vme [bit 1]";
        assert_eq!(failure(tcg), None);
        assert_eq!(
            failure("x86_64: terminating on signal 15 from pid 17 (timeout)"),
            None
        );
        let option = "x86_64: -device x: warning: y";
        assert_eq!(failure(option), None);
        let pvh = "x86_64: Error loading uncompressed kernel without PVH ELF Note";
        let reason = "Error loading uncompressed kernel without PVH ELF Note".to_owned();
        assert_eq!(
            failure(pvh),
            Some(Cause::QemuError {
                reason: reason.clone()
            })
        );
        assert!(failed(&reason).help.contains("CONFIG_PVH"));
    }
}
