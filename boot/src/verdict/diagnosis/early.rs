//! Messages from before Linux prints its version: firmware, boot loaders, the EFI stub, the decompressor.

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

    part("INT18: BOOT FAILURE", |_| none(NO_DISK), "Bochs and VirtualBox: bios/rombios.c"),
    part("Firmware not found", |rest| rest.is_empty().then(|| none(RASPBERRY)).flatten(), "Raspberry Pi: the boot loader in the EEPROM"),
    row("No bootable device.", |_| none(NO_DISK), "SeaBIOS: src/boot.c"),
    part("BdsDxe: No bootable option or device was found", |_| none(NO_DISK), "edk2: MdeModulePkg/Universal/BdsDxe/BdsEntry.c"),
    row("Shell>", |_| none(NO_DISK), "edk2: ShellPkg/Application/Shell"),
    row("Script Error Status: Unsupported", |_| none("the file is not a program that this machine's firmware can start"), "edk2: ShellPkg/Application/Shell"),
    row("PANIC: panicked at ", |_| none(FIRMWARE_BUG), "rust-hypervisor-firmware: src/main.rs"),
    row("Payload not loaded.", |_| none("coreboot has no payload that it can start"), "coreboot: src/lib/prog_loaders.c"),
    row("ERROR:   BL2: Failed to load image", |_| none("TF-A did not find the next stage of the boot loader"), "TF-A: bl2/bl2_image_load_v2.c"),
    part("Domain0 Next Address", |rest| rest.ends_with(": 0x0000000000000000").then(|| none("OpenSBI was given none")).flatten(), "OpenSBI: lib/sbi/sbi_domain.c"),
    row("sbi_trap_error: ", |_| none(OPENSBI_BUG), "OpenSBI: lib/sbi/sbi_trap.c"),

    row("PXE-E", |rest| rest.contains(": ").then(|| none(NETWORK)).flatten(), "edk2: NetworkPkg/UefiPxeBcDxe; the ROMs of network cards"),
    part("No configuration methods succeeded (http", |_| none(NETWORK), "iPXE: src/usr/ifmgmt.c"),
    row("Could not boot: ", |_| none(NETWORK), "iPXE: src/usr/autoboot.c"),
    row("No more network devices", |_| none(NETWORK), "iPXE: src/usr/autoboot.c"),

    part("Could not find kernel image: ", |_| none("syslinux found no kernel with that name"), "syslinux: core/ui.inc"),
    row("Failed to load ldlinux", |_| none(SYSLINUX), "syslinux: core/elflink/load_env32.c"),
    row("Boot failed: please change disks", |_| none(SYSLINUX), "syslinux: core/diskstart.inc"),
    row("isolinux.bin missing or corrupt", |_| none(SYSLINUX), "syslinux: core/isolinux.asm"),
    row("No DEFAULT or UI configuration directive found!", |_| none(SYSLINUX), "syslinux: com32/elflink/ldlinux/readconfig.c"),
    row("Failed to execute ", |rest| rest.contains(" (\\").then(|| none(SD_BOOT)).flatten(), "systemd: src/boot/boot.c"),
    row("Error loading \\", |_| none(SD_BOOT), "systemd: src/boot/boot.c"),
    row("Error preparing initrd: ", |_| none(SD_BOOT), "systemd: src/boot/boot.c"),
    row("PANIC: linux: ", |_| none("Limine could not load it"), "Limine: common/protos/linux.c"),

    // GRUB moves the cursor after these letters.
    row("grub rescu", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/rescue_reader.c"),
    row("grub>", |_| none("GRUB waits at its prompt, because it found no configuration, or a person asked for it"), "GRUB: grub-core/normal/main.c"),
    row("error: file `", |rest| rest.contains("not found").then(|| none("GRUB did not find a file that it needs")).flatten(), "GRUB: grub-core/fs"),
    row("error: you need to load the kernel first", |_| none("GRUB has no kernel to start, because loading it failed"), "GRUB: grub-core/loader"),
    row("error: no such device: ", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/device.c"),
    row("error: no such partition", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/disk.c"),
    row("error: unknown filesystem", |_| none(GRUB_MODULES), "GRUB: grub-core/kern/fs.c"),
    row("error: symbol `", |_| none(GRUB_VERSIONS), "GRUB: grub-core/kern/dl.c"),
    row("error: out of memory.", |_| none(GRUB_MEMORY), "GRUB: grub-core/kern/mm.c"),
    row("error: invalid magic number", |_| none("the file that GRUB loaded is not a Linux kernel"), "GRUB: grub-core/loader"),
    row("error: bad shim signature", |_| none(SECURE_BOOT), "GRUB: grub-core/loader"),
    row("error: ", |rest| rest.contains(" has invalid signature").then(|| none(SECURE_BOOT)).flatten(), "GRUB: grub-core/loader"),
    part("Security Violation", |_| none(SECURE_BOOT), "shim: shim.c"),
    row("Bootloader has not verified loaded image.", |_| none(SECURE_BOOT), "shim: replacements.c"),

    row("Bad Linux ARM64 Image magic!", |_| none(NOT_AN_IMAGE), "U-Boot: arch/arm/lib/image.c"),
    row("Bad Linux RISCV Image magic!", |_| none(NOT_AN_IMAGE), "U-Boot: arch/riscv/lib/image.c"),
    row("Bad Linux ARM zImage magic!", |_| none(NOT_AN_IMAGE), "U-Boot: arch/arm/lib/zimage.c"),
    row("Wrong Image Format for ", |_| none(NOT_AN_IMAGE), "U-Boot: boot/bootm.c"),
    row("Wrong Image Type for ", |_| none(NOT_AN_IMAGE), "U-Boot: boot/bootm.c"),
    part("Bad Data CRC", |_| none(DAMAGED), "U-Boot: boot/image-board.c"),
    row("Wrong Ramdisk Image Format", |_| none(U_BOOT_INITRD), "U-Boot: boot/image-board.c"),
    row("Ramdisk image is corrupt or invalid", |_| none(U_BOOT_INITRD), "U-Boot: boot/bootm.c"),
    row("ERROR: can't get kernel image!", |_| none(NOT_AN_IMAGE), "U-Boot: boot/bootm.c"),
    row("FDT and ATAGS support not compiled in", |_| none(NO_DTB), "U-Boot: arch/arm/lib/bootm.c"),
    part("Could not find a valid device tree", |_| none(NO_DTB), "U-Boot: boot/image-fdt.c"),
    row("ERROR: Did not find a cmdline Flattened Device Tree", |_| none(NO_DTB), "U-Boot: boot/image-fdt.c"),
    row("No valid device tree binary found", |_| none(U_BOOT_DTB), "U-Boot: lib/fdtdec.c"),
    row("### ERROR ### Please RESET the board ###", |_| none(U_BOOT_STOPPED), "U-Boot: lib/hang.c"),
    row("EFI boot manager: Cannot load any image", |_| none(U_BOOT_NOTHING), "U-Boot: cmd/bootefi.c"),
    row("No more bootdevs", |_| none(U_BOOT_NOTHING), "U-Boot: cmd/bootflow.c"),
    // Its prompt, when autoboot has tried everything; boards put their names before it.
    part("=>", |rest| rest.is_empty().then(|| none("U-Boot found nothing to start, and waits at its prompt")).flatten(), "U-Boot: include/configs"),
];

const NO_DISK: &str = "the firmware found nothing to boot";
const FIRMWARE_BUG: &str = "the firmware crashed";
const OPENSBI_BUG: &str = "OpenSBI failed";
const RASPBERRY: &str = "the Raspberry Pi found none of its firmware (start4.elf, start.elf)";
const U_BOOT_DTB: &str = "U-Boot has no device tree of its own";
const NETWORK: &str = "the firmware could not boot from the network";
const SYSLINUX: &str = "syslinux did not find its own files";
const SD_BOOT: &str = "systemd-boot could not load a file of its menu";
const GRUB_MODULES: &str = "GRUB did not find its files, or cannot read the disk that has them";
const GRUB_VERSIONS: &str = "GRUB's core and its modules do not belong together";
const GRUB_MEMORY: &str = "GRUB has too little memory for the kernel and the initramfs";
const SECURE_BOOT: &str = "secure boot refused the kernel or its boot loader";
const NOT_AN_IMAGE: &str = "the file is not a kernel in a format that U-Boot can start";
const DAMAGED: &str = "U-Boot found that the image is damaged";
const U_BOOT_INITRD: &str = "U-Boot rejected the initramfs: it wants its own header around it (mkimage), or a size after its address";
const U_BOOT_STOPPED: &str = "U-Boot stopped after an error, which the lines above name";
const U_BOOT_NOTHING: &str = "U-Boot found no device to load a kernel from";
const NO_DTB: &str = "U-Boot was given no device tree for the kernel";

/// The advice for a reason. Others get [`NO_KERNEL_HELP`].
#[rustfmt::skip] // A table.
const HELP: &[(&str, &str)] = &[
    (FIRMWARE_BUG, FIRMWARE_HELP),
    (OPENSBI_BUG, FIRMWARE_HELP),
    (U_BOOT_DTB, "The image of the boot loader is incomplete: build it again with the device tree of this board (CONFIG_DEFAULT_DEVICE_TREE), or write another release of it."),
    (RASPBERRY, "The first FAT partition of the card must have these files. They are those of another model, or the card was not written completely, or it has no FAT partition. A \
         Raspberry Pi 5 needs none of them, but a newer boot loader."),
    (NOT_AN_IMAGE, "booti wants an Image, on some boards an uncompressed one, bootz a zImage, bootm a uImage or a FIT image. Look for a line that a file was not found or not read: then U-Boot looks at \
         memory that has no kernel. If the file is right, its address overlaps another one."),
    (NETWORK, "The line has the reason. No offer or no configuration: the cable, the port, or the network has no DHCP server for this machine. A timeout, or a \
         file that is not found: the name or the address that the DHCP server gives is wrong, or a firewall stops TFTP. \"Exec format error\": the file is no \
         program for this firmware; UEFI needs another one than a BIOS. To boot from a disk, put it before the network in the firmware's boot order."),
    (SYSLINUX, "Its .c32 files and its configuration must be on the same medium, and from the same version of syslinux. A program that writes an image to a USB \
         stick may have left them out: copy the image as a whole (dd)."),
    (SD_BOOT, "The entry in loader/entries names a kernel or an initramfs that is not on the EFI system partition, or that the firmware cannot load. Paths begin at the \
         top of that partition. If secure boot is on, the kernel must be signed."),
    (GRUB_MODULES, "A disk, a partition or a file is not where GRUB was installed to look for it: the disk is missing, its UUID or the order of the disks has changed, or \
         the file system is one that GRUB has no module for. At its prompt, `ls` lists the disks, and `set` shows prefix and root. grub-install and grub-mkconfig, \
         run in the installed system, repair it."),
    (GRUB_VERSIONS, "An update has replaced the modules, but not the core in the boot sector or on the EFI system partition, perhaps because it went to another disk. \
         Run grub-install for the disk that the firmware boots."),
    (GRUB_MEMORY, "Make the initramfs smaller (initramfs-tools: MODULES=dep, dracut: hostonly), give a virtual machine more memory, or use a newer GRUB."),
    (SECURE_BOOT, "The file has no signature, or none by a key that the firmware or shim trusts, or one that was revoked. Boot a signed kernel; or sign it (sbsign), and \
         enrol the key (mokutil --import); or switch secure boot off in the firmware's settings."),
    (DAMAGED, "The checksum of the image is wrong: it was not copied or written completely, or the flash or the memory is faulty, or it was loaded over a part of itself. \
         Write it again."),
    (U_BOOT_INITRD, "Look for a line that the file of the initramfs was not found: then U-Boot looks at memory that has none. bootm and bootz accept a file that `mkimage -T ramdisk` made; \
         they and booti also accept ADDRESS:SIZE, with the size of the file in hexadecimal digits. `-` in place of the address boots without one."),
    (U_BOOT_STOPPED, "If no device could be read, look at the card, its contacts and the switches for the boot device. If not, the image of the boot loader is incomplete, or that of another board: \
         write it again."),
    (NO_DTB, "The boot script loads a .dtb file by the board's name ($fdtfile). Look for a line that a file was not found: the name or its directory differs in this version \
         of the kernel, or the file is not on the boot partition. With bootm, booti or bootz, its address is the third argument."),
];

const FIRMWARE_HELP: &str = "The firmware has a bug, or is not for this machine, or was given too little memory. Try another version of it.";

const NO_KERNEL_HELP: &str = "Give the machine a kernel (QEMU: -kernel FILE), or a disk whose boot loader finds one. Check the path and the name of the file, and that the \
                              disk is attached to a controller that the firmware knows.";

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
    let row = HELP.iter().find(|(known, _)| *known == reason);
    Words::new(
        "no-kernel",
        format!("no kernel was started: {reason}"),
        row.map_or(NO_KERNEL_HELP, |(_, help)| help),
    )
}

/// Whether this is only one of the ways to boot that a firmware tries.
pub fn is_attempt(cause: &Cause) -> bool {
    matches!(cause, Cause::NoKernel { reason: NETWORK })
}

/// Whether `message` proves that the firmware or the boot loader has found something to start after all.
pub fn goes_on(message: &str) -> bool {
    // A quiet kernel prints nothing, but systemd and a getty do.
    const LINES: &[&str] = &[
        "EFI stub: Loaded",
        "EFI stub: Booting",
        "Booting from Hard Disk",
        "GRUB loading",
        "Welcome to GRUB!",
        "Loading Linux ",
        "Starting kernel ...",
        "Booting Linux on ",
        "[  OK  ] ",
    ];
    LINES.iter().any(|line| message.starts_with(line)) || message.ends_with(" login:")
}

pub(super) fn efi_stub_failed(reason: &str) -> Words {
    let help = if reason.contains("initrd") || reason.contains("file") || reason.contains("volume")
    {
        "initrd= must name a file on the volume that the kernel was loaded from, usually the EFI system partition, with backslashes \
         in its path. The error 0x800000000000000e means that there is no such file, 0x8000000000000009 that there is too little memory."
    } else if reason.contains("allocate") {
        "Give the guest more memory with --memory. The kernel and the initramfs each need one free block that is large enough."
    } else {
        "If the reason is that data is corrupt, the kernel's file is damaged: copy or build it again. If not, the firmware and the kernel \
         may not work together: try a newer kernel or a newer firmware, or boot without EFI."
    };
    let sentence = format!("the kernel's EFI stub reported an error: {reason}");
    Words::new("efi-stub-failed", sentence, help)
}

pub(super) fn wrong_cpu() -> Words {
    Words::new(
        "wrong-cpu",
        "the kernel does not support this CPU",
        "A 64-bit kernel needs a 64-bit CPU: for a PC, run qemu-system-x86_64, not qemu-system-i386, and do not use a CPU model such as \
         qemu32 or pentium. If the message names features or a page size, use a CPU model that has them (--cpu max), or \
         build the kernel without them.",
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
            "The guest has too little memory for the kernel, or the boot loader put the kernel at an unsuitable address. Give the guest more \
             memory with --memory."
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
            "The kernel executed an instruction that this CPU model does not have. Try --cpu max, or build the kernel for the \
             architecture's baseline (without CONFIG_X86_NATIVE_CPU=y, for example). If that does not help, the kernel found a bug in itself \
             (BUG() also executes an invalid instruction).",
        ),
        0x00 => ("division by zero", EXCEPTION_HELP),
        0x08 => ("double fault", EXCEPTION_HELP),
        0x0d => ("general protection fault", EXCEPTION_HELP),
        0x0e => ("page fault", EXCEPTION_HELP),
        _ => ("see the CPU's manual", EXCEPTION_HELP),
    };
    Words::new(
        "early-exception",
        format!(
            "the kernel failed before it could handle errors (exception {vector:#04x}, {name})"
        ),
        help,
    )
}

const EXCEPTION_HELP: &str = "So early in the boot, the cause is usually the memory: there is too little (--memory), the initramfs overlaps the kernel, or the \
                              memory map is wrong. Or the kernel has a bug. `addr2line -e vmlinux ADDRESS` translates the address after \"IP 10:\" into a \
                              line of C; boot with nokaslr, so that the addresses are those in the file.";

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
