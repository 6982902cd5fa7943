//! The last line of a guest that is silent after it.

/// A part of the line, and what the silence means.
type Row = (&'static str, &'static str);

#[rustfmt::skip] // A table.
const LINES: &[Row] = &[
    // kernel/printk/printk.c: "printk: legacy bootconsole [earlyser0] disabled"
    ("bootconsole [",
        "The early console ended, and no other console on the same device took over. console= must name that device (x86: ttyS0, Arm: ttyAMA0, RISC-V: ttyS0), and \
         its driver must be built in. keep_bootcon on the kernel's command line keeps the early console. The kernel probably runs on without output."),
    ("console [tty0] enabled",
        "From here on the kernel writes to the screen, not to the serial port. Add console=ttyS0 (Arm: ttyAMA0) as the last console= of its command line."),
    ("Waiting for root device ",
        "rootwait makes the kernel wait forever for the device that root= names. Its name is wrong, or the kernel lacks the driver of the disk or of its controller."),
    ("Waiting for root file system", "The initramfs waits for the device that root= names; after a while it gives up and starts a shell."),
    // initramfs-tools
    ("Running /scripts/local-block", "The initramfs waits for the device that root= names; after a while it gives up and starts a shell."),
    // net/ipv4/ipconfig.c
    ("Sending DHCP requests", "The kernel waits for a DHCP server: the cable, or the network has none for this machine. It does so because of ip= on its command line."),
    ("rootserver=", "The kernel has an address, and probably waits for the NFS server: the server, nfsroot=, its version of NFS, or a firewall."),
    ("Please unlock disk ", "The initramfs waits for the passphrase of an encrypted disk. A machine without a keyboard needs a key file, a TPM or an SSH server in the initramfs."),
    ("nter passphrase for ", "The initramfs waits for the passphrase of an encrypted disk. A machine without a keyboard needs a key file, a TPM or an SSH server in the initramfs."),
    ("A password is required to access the ", "The initramfs waits for the passphrase of an encrypted disk. A machine without a keyboard needs a key file, a TPM or an SSH server in the initramfs."),
    // x86 only; arm64 has none of its own.
    ("Booting the kernel", "The kernel was unpacked, and printed nothing. earlyprintk=serial,ttyS0 shows its first messages on x86, earlycon elsewhere. Often console= is missing, \
         or the guest has too little memory."),
    ("Decompressing Linux", "The kernel did not finish unpacking itself: too little memory, a damaged file, or a reset of the machine."),
    ("Starting kernel ...", "U-Boot started the kernel, which printed nothing: console= or earlycon is missing, the device tree is for another machine, or the kernel was \
         loaded over U-Boot or over its own device tree."),
    ("EFI stub: Exiting boot services", "The kernel left the firmware and printed nothing: console= or earlycon is missing, or it failed before it had a console."),
    ("EFI stub: Loaded initrd", "The kernel left the firmware and printed nothing: console= or earlycon is missing, or it failed before it had a console."),
    ("Loading initial ramdisk", "GRUB started the kernel, which printed nothing on this port: console=ttyS0 is missing, or the initramfs does not fit into the memory."),
    ("UEFI Interactive Shell", "The firmware found nothing to boot, and started its shell."),
    ("Booting from ROM", "The firmware started the kernel, which printed nothing: console= is missing, it has no driver for the serial port, or the guest has too little memory."),
    ("Booting from Hard Disk", "The firmware started the disk's boot loader, which printed nothing on this port."),
    ("Next Mode", "OpenSBI started nothing that prints: give QEMU a kernel (-kernel), or the kernel a console (console=ttyS0, earlycon)."),
    ("Boot HART ", "OpenSBI started the kernel, which printed nothing: console= or earlycon is missing, or the kernel is not for this machine."),
    ("alibrating delay loop", "The kernel waits for timer interrupts that do not come: the machine's timer or interrupt controller is not the one that the kernel expects."),
    ("random: ", "Until the kernel prints \"crng init done\", a program may wait in getrandom(2) for entropy. A virtio-rng device (QEMU: -device virtio-rng-pci), or a CPU that has rdrand \
         with random.trust_cpu=on, provides entropy at once. After \"crng init done\", something else hangs."),
    ("can't access tty; job control turned off", PROMPT),
    ("a start job is running", "systemd waits for a unit; the line names it and the limit."),
    ("A start job is running", "systemd waits for a unit; the line names it and the limit."),
];

/// After `# `, and boot loaders have such prompts too.
const PROMPT: &str = "A shell or a boot loader waits for input. If nobody asked for it, the script before it has given up; its lines above say why.";

/// What the silence after `line` means.
pub fn help(line: &str) -> Option<&'static str> {
    let row = LINES.iter().find(|(part, _)| line.contains(part));
    let prompt = line.ends_with('#').then_some(PROMPT);
    row.map(|(_, help)| *help).or(prompt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_that_ends_is_explained() {
        for line in [
            "[    0.1] printk: legacy bootconsole [earlyser0] disabled",
            "bootconsole [uart0] disabled",
        ] {
            assert!(help(line).is_some_and(|help| help.contains("keep_bootcon")));
        }
        assert_eq!(
            help("[    0.1] Freeing unused kernel image (initmem) memory: 12K"),
            None
        );
    }
}
