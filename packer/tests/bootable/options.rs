//! The options of the kernel, the memory, and odd entries.

use super::*;

#[test]
fn an_image_needs_options() {
    let init = [good_init()];
    expect_none(&found_with(&init, &options("")));
    for (text, start) in [
        (
            "CONFIG_BLK_DEV_INITRD=n\n",
            "error: the kernel has no CONFIG_BLK_DEV_INITRD, so it ignores the image; build the kernel with \
             CONFIG_BLK_DEV_INITRD=y",
        ),
        (
            "CONFIG_INITRAMFS_FORCE=y\n",
            "error: the kernel has CONFIG_INITRAMFS_FORCE=y, so it ignores the image",
        ),
        ("CONFIG_PRINTK=n\n", "note: the kernel has no CONFIG_PRINTK"),
        (
            "CONFIG_DEVTMPFS=n\n",
            "note: the kernel has no CONFIG_DEVTMPFS",
        ),
        (
            "CONFIG_BINFMT_ELF=n\n",
            "error: /init: is an ELF program, and the kernel has no CONFIG_BINFMT_ELF",
        ),
        (
            "CONFIG_SERIAL_8250_CONSOLE=n\n",
            "warning: the kernel has no CONFIG_SERIAL_8250_CONSOLE, so the serial console ttyS0 stays silent",
        ),
    ] {
        expect_one(&found_with(&init, &options(text)), start);
    }
    let script = [program("init", "#!/init\n")];
    expect_one(
        &found_with(&script, &options("CONFIG_BINFMT_SCRIPT=m\n")),
        "error: /init: is a script, and the kernel has no CONFIG_BINFMT_SCRIPT",
    );
    let pl011 = Conditions {
        target: Target::named("aarch64"),
        ..options("CONFIG_SERIAL_AMBA_PL011_CONSOLE=m\n")
    };
    let arm = [program(
        "init",
        statically_linked().machine(elf::AARCH64).bytes(),
    )];
    expect_one(
        &found_with(&arm, &pl011),
        "warning: the kernel has CONFIG_SERIAL_AMBA_PL011_CONSOLE as a module only",
    );
}

#[test]
fn each_compression_needs_an_option() {
    let early = archive(&[dir("kernel")]);
    let plain = archive(&[good_init()]);
    for (format, option) in [
        ("gzip", "RD_GZIP"),
        ("zstd", "RD_ZSTD"),
        ("xz", "RD_XZ"),
        ("bzip2", "RD_BZIP2"),
        ("lzma", "RD_LZMA"),
    ] {
        let image = [early.clone(), compress(format, &plain)].concat();
        let start = format!(
            "error: the kernel has no CONFIG_{option}, so it cannot unpack the {format} data at byte {} of",
            early.len()
        );
        expect_one(&findings(&image, &options("")), &start);
        let has_it = options(&format!("CONFIG_{option}=y\n"));
        expect_none(&findings(&image, &has_it));
    }
}

#[test]
fn what_is_read_early_needs_options() {
    for (path, option, start) in [
        (
            "kernel/x86/microcode/GenuineIntel.bin",
            "MICROCODE",
            "note: the kernel has no CONFIG_MICROCODE, so it ignores the microcode in the image; build the kernel with \
             CONFIG_MICROCODE=y",
        ),
        (
            "kernel/firmware/acpi/ssdt.aml",
            "ACPI_TABLE_UPGRADE",
            "warning: the kernel has no CONFIG_ACPI_TABLE_UPGRADE, so it ignores the ACPI tables in the image",
        ),
    ] {
        let early = archive(&[file(path, "x")]);
        let image = [early.clone(), archive(&[good_init()])].concat();
        expect_one(&findings(&image, &options("")), start);
        let has_it = options(&format!("CONFIG_{option}=y\n"));
        expect_none(&findings(&image, &has_it));
        // Nobody looks for it in compressed data.
        let first = archive(&[good_init(), dir("kernel"), dir("kernel/firmware")]);
        let more = archive(&[
            dir("kernel/firmware/acpi"),
            dir("kernel/x86"),
            dir("kernel/x86/microcode"),
            file(path, "x"),
        ]);
        let image = compress("gzip", &[first, more].concat());
        let unpacks = options("CONFIG_RD_GZIP=y\n");
        expect_none(&findings(&image, &unpacks));
    }
}

#[test]
fn the_image_must_fit_into_the_memory() {
    let memory = |mib: u64| Conditions {
        memory: Some(mib << 20),
        ..Conditions::default()
    };
    let large = [good_init(), file("data", vec![b'x'; 10 << 20])];
    expect_none(&found_with(&large, &memory(32)));
    expect_one(
        &found_with(&large, &memory(20)),
        "error: the image has 11 MiB, and its files have 11 MiB, and Linux holds both in memory while it unpacks: the \
         guest has only 20 MiB; give the guest more memory with --memory 47",
    );
    let packed = gzip(&archive(&large));
    expect_one(
        &findings(&packed, &memory(16)),
        "warning: the image has 1 MiB, and its files have 11 MiB, more than half of the guest's 16 MiB",
    );
}

#[test]
fn a_console_that_is_no_device() {
    let console = [good_init(), dir("dev"), file("dev/console", "")];
    expect_one(
        &found(&console),
        "warning: /dev/console: is a file, and no device: what init prints goes there",
    );
    expect_one(
        &found(&[good_init(), dir("dev"), symlink("dev/console", "tty")]),
        "warning: /dev/console: leads to nothing: /dev/console is a symbolic link to tty, and /dev/tty is not in the image: \
         init has no stdin",
    );
    let device = device("dev/console", CHAR | 0o600, (5, 1));
    expect_none(&found(&[good_init(), dir("dev"), device]));
    // The usual initramfs in the kernel has the device, but this kernel has another one.
    let built_in = options("CONFIG_INITRAMFS_SOURCE=\"/my/root\"\n");
    expect_one(
        &found_with(&[good_init()], &built_in),
        "warning: /dev/console: is not in the image, and this kernel has an initramfs of its own (/my/root)",
    );
    expect_none(&found_with(
        &[good_init()],
        &options("CONFIG_INITRAMFS_SOURCE=\"\"\n"),
    ));
}

#[test]
fn empty_programs() {
    let entries = [good_init(), program("tool", ""), file("data", "")];
    expect_one(&found(&entries), "note: /tool: is executable, but empty");
    // A later entry may have the contents.
    expect_none(&found(&[
        good_init(),
        program("tool", ""),
        program("tool", "x"),
    ]));
}

#[test]
fn a_large_image_is_not_examined() {
    let conditions = Conditions {
        unpacked_max: 1 << 20,
        ..Conditions::default()
    };
    let large = [file("data", vec![0; 2 << 20]), program("init", "")];
    expect_none(&found_with(&large, &conditions));
    expect_one(&found(&large), "error: /init: is empty");
}
