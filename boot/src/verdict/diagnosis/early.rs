//! Messages of the time before Linux prints its version: firmware, boot loaders, the EFI stub, the decompressor.

use super::{Cause, Row, Words, part, row};

#[rustfmt::skip] // A table.
pub(super) const MESSAGES: &[Row] = &[
    // x86 only.
    row("PANIC: early exception 0x", exception_number, "arch/x86/mm/extable.c"),
    row("EFI stub: ERROR: ", stub_error, "drivers/firmware/efi/libstub/efistub.h"),
    row("EFI stub: WARNING: Decompression failed: ", stub_error, "drivers/firmware/efi/libstub/x86-stub.c, composed"),
    // x86: the decompressor's reason is two lines above this one.
    row("-- System halted", |_| Some(Cause::DecompressorFailed { reason: None }), "arch/x86/boot/compressed/error.c"),
    row("This kernel requires ", |rest| rest.contains("CPU").then_some(Cause::WrongCpu), "arch/x86/boot/cpu.c"),
    row("Unable to boot - please use a kernel appropriate for your CPU.", |_| Some(Cause::WrongCpu), "arch/x86/boot/main.c"),
    row("This 64 KB granular kernel is not supported", |_| Some(Cause::WrongCpu), "drivers/firmware/efi/libstub/arm64.c"),

    row("No bootable device.", |_| none(NO_DISK), "SeaBIOS: src/boot.c"),
    part("BdsDxe: No bootable option or device was found", |_| none(NO_DISK), "edk2: MdeModulePkg/Universal/BdsDxe/BdsEntry.c"),
    row("Shell>", |_| none(NO_DISK), "edk2: ShellPkg/Application/Shell"),
    row("Script Error Status: Unsupported", |_| none("the file is no program for this machine's firmware"), "edk2: ShellPkg/Application/Shell"),
    part("Domain0 Next Address", |rest| rest.ends_with(": 0x0000000000000000").then_some(()).and_then(|()| none("OpenSBI was given none")), "OpenSBI: lib/sbi/sbi_domain.c"),
    part("Could not find kernel image: ", |_| none("syslinux found no kernel with that name"), "syslinux: core/ui.inc"),

    // Its cursor moves after this.
    row("grub rescu", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/rescue_reader.c"),
    row("error: file `", |rest| rest.contains("not found").then_some(())
        .and_then(|()| none("GRUB did not find a file of its configuration")), "GRUB: grub-core/fs"),
    row("error: you need to load the kernel first", |_| none("GRUB has no kernel to start, because loading it failed"), "GRUB: grub-core/loader"),
    row("error: no such device: ", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/device.c"),
    row("error: no such partition", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/disk.c"),
    row("error: unknown filesystem", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/fs.c"),
    row("error: invalid magic number", |_| none("GRUB found that the file is no Linux kernel"), "GRUB: grub-core/loader"),
    row("error: bad shim signature", |_| none("secure boot refused the kernel"), "GRUB: grub-core/loader"),

    row("Bad Linux ARM64 Image magic!", |_| none(NOT_AN_IMAGE), "U-Boot: arch/arm/lib/image.c"),
    row("Bad Linux RISCV Image magic!", |_| none(NOT_AN_IMAGE), "U-Boot: arch/riscv/lib/image.c"),
    row("Wrong Image Format for ", |_| none(NOT_AN_IMAGE), "U-Boot: boot/bootm.c"),
    row("Wrong Image Type for ", |_| none(NOT_AN_IMAGE), "U-Boot: boot/bootm.c"),
    row("Wrong Ramdisk Image Format", |_| none("U-Boot rejected the initramfs: it wants its own header around it (mkimage), or a size after its address"),
        "U-Boot: boot/image-board.c"),
    row("Ramdisk image is corrupt or invalid", |_| none("U-Boot rejected the initramfs: it wants its own header around it (mkimage), or a size after its address"),
        "U-Boot: boot/bootm.c"),
    row("ERROR: can't get kernel image!", |_| none(NOT_AN_IMAGE), "U-Boot: boot/bootm.c"),
    row("FDT and ATAGS support not compiled in", |_| none("U-Boot was given no device tree for the kernel"), "U-Boot: arch/arm/lib/bootm.c"),
    // Its prompt, when autoboot has tried everything.
    row("=>", |rest| rest.is_empty().then_some(()).and_then(|()| none("U-Boot found nothing to start, and waits at its prompt")), "U-Boot: include/configs"),
    row("No more bootdevs", |_| none("U-Boot found no device to load a kernel from"), "U-Boot: cmd/bootflow.c"),
];

const NO_DISK: &str = "the firmware found nothing to boot";
const GRUB_MODULES: &str = "GRUB did not find its files or its disk";
const NOT_AN_IMAGE: &str = "U-Boot found that the file is no kernel in a format that it can start";

fn none(reason: &'static str) -> Option<Cause> {
    Some(Cause::NoKernel { reason })
}

/// `XX IP ...`, with the number in hexadecimal digits.
fn exception_number(rest: &str) -> Option<Cause> {
    let vector = u8::from_str_radix(rest.split(' ').next()?, 16).ok()?;
    Some(Cause::EarlyException { vector })
}

fn stub_error(reason: &str) -> Option<Cause> {
    Some(Cause::EfiStubFailed {
        reason: reason.to_owned(),
    })
}

pub(super) fn no_kernel(reason: &str) -> Words {
    Words::new(
        "no-kernel",
        format!("no kernel was started: {reason}"),
        "Give the machine a kernel (QEMU: -kernel FILE), or a disk whose boot loader finds one. Check the path and the name of the file, \
         and that the disk is attached to a controller that the firmware knows.",
    )
}

pub(super) fn efi_stub_failed(reason: &str) -> Words {
    let help = if reason.contains("initrd")
        || reason.contains("open file")
        || reason.contains("volume")
    {
        "The path after initrd= is that of a file on the EFI system partition, with backslashes. 0x800000000000000e means that \
         there is no such file, 0x8000000000000009 that there is too little memory."
    } else if reason.contains("allocate") {
        "Give the guest more memory with --memory. The kernel and the initramfs need one free piece each that is large enough."
    } else {
        "The firmware and the kernel do not agree. Try a newer kernel or a newer firmware, or boot without EFI."
    };
    let sentence = format!("the kernel's EFI stub reported an error: {reason}");
    Words::new("efi-stub-failed", sentence, help)
}

pub(super) fn wrong_cpu() -> Words {
    Words::new(
        "wrong-cpu",
        "the kernel is for another CPU",
        "A 64-bit kernel needs a 64-bit CPU: on a PC, run qemu-system-x86_64 and not qemu-system-i386, and no CPU model like qemu32 or pentium. \
         The message names the features that are missing.",
    )
}

pub(super) fn decompressor_failed(reason: Option<&str>) -> Words {
    let reason_text = reason
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let sentence = format!("the kernel could not unpack itself{reason_text}");
    let memory = reason.is_some_and(|reason| {
        ["emory", "allocate", "address"]
            .iter()
            .any(|word| reason.contains(word))
    });
    let help = match memory {
        true => {
            "The guest has too little memory for the kernel at the address where the boot loader put it. Give it more with --memory."
        }
        false => {
            "The kernel's file is damaged, or the boot loader has loaded only a part of it, or something has written over it. Copy or build it \
                  again, and compare its checksum with that of the original."
        }
    };
    Words::new("decompressor-failed", sentence, help)
}

pub(super) fn exception(vector: u8) -> Words {
    let (name, help) = match vector {
        0x06 => (
            "invalid opcode",
            "The kernel executes an instruction that this CPU model does not have. Try --cpu max, or build the kernel for the \
             architecture's baseline (not CONFIG_MNATIVE or CONFIG_M... of a newer CPU).",
        ),
        0x0d => ("general protection fault", EXCEPTION_HELP),
        0x0e => ("page fault", EXCEPTION_HELP),
        _ => ("an exception of the CPU", EXCEPTION_HELP),
    };
    Words::new(
        "early-exception",
        format!(
            "the kernel failed before it could handle errors (exception {vector:#04x}, {name})"
        ),
        help,
    )
}

const EXCEPTION_HELP: &str = "So early, this is mostly memory: too little of it (--memory), an initramfs or a device tree that overlaps the kernel, or a \
                              memory map that is wrong. Or the kernel has a bug. `addr2line -e vmlinux` translates the address after IP into a \
                              line of C; boot with nokaslr so that it is the one of the file.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_an_exception_is_its_number() {
        let cause = exception_number("0e IP 10:ffffffff81000110 error 0 cr2 0x0");
        assert_eq!(cause, Some(Cause::EarlyException { vector: 14 }));
        assert!(exception(14).sentence.contains("0x0e, page fault"));
        assert!(exception(6).help.contains("--cpu max"));
    }

    #[test]
    fn the_decompressor_and_the_stub_get_advice_for_memory() {
        let help = |reason| decompressor_failed(Some(reason)).help;
        assert!(help("Out of memory while allocating z_stream").contains("--memory"));
        assert!(help("XZ-compressed data is corrupt").contains("damaged"));
        assert!(
            efi_stub_failed("Failed to load initrd: 0x800000000000000e")
                .help
                .contains("initrd=")
        );
    }
}
