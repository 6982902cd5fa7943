//! Finds the author of each byte on the console: the firmware, the kernel, or a program.
//!
//! A time stamp starts a message of the kernel, even in the middle of a line. If the kernel writes no
//! times (`printk.time=0`), all output is the kernel's until it starts init; after that, its lines look
//! like those of programs. Output before the kernel's first line is not a program's. If the kernel
//! prints nothing, as with `quiet`, the author is unknown, and the output counts as a program's.

use crate::console::message::Stamp;

/// The author of output before the kernel's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Early {
    /// The firmware, or a boot loader.
    Firmware,
    /// The kernel, while it unpacks itself.
    Kernel,
}

/// The beginnings of their first line and of their last line, from their sources. Without a last line,
/// the first line is the only one.
const EARLY: &[(&str, Option<&str>, Early)] = &[
    // lib/sbi/sbi_init.c
    ("OpenSBI v", Some("Boot HART MEDELEG"), Early::Firmware),
    // src/bootsplash.c, src/boot.c
    ("SeaBIOS (version ", Some("Booting from "), Early::Firmware),
    // OvmfPkg and ArmVirtPkg; then drivers/firmware/efi/libstub, which is the kernel's.
    (
        "UEFI firmware (version ",
        Some("EFI stub: "),
        Early::Firmware,
    ),
    // common/version.c, arch/*/lib/bootm.c
    ("U-Boot 2", Some("Starting kernel ..."), Early::Firmware),
    // arch/um/os-Linux/start_up.c and mem.c
    (
        "Core dump limits :",
        Some("Checking PROT_EXEC mmap in "),
        Early::Firmware,
    ),
    ("EFI stub: ", None, Early::Kernel),
    // arch/x86/boot, and compressed/misc.c in it.
    ("Probing EDD ", None, Early::Kernel),
    ("early console in ", None, Early::Kernel),
    ("Decompressing Linux...", None, Early::Kernel),
    ("Booting the kernel", None, Early::Kernel),
];

/// The author whose first line is `line`, and the beginning of that author's last line.
pub fn early(line: &str) -> Option<(Early, Option<&'static str>)> {
    let (_, last, who) = EARLY.iter().find(|(first, ..)| line.starts_with(first))?;
    Some((*who, *last))
}

/// The kernel's first line.
const FIRST: &str = "Linux version ";

/// Whether `line` is the kernel's first (init/main.c).
pub fn is_first(line: &str) -> bool {
    line.starts_with(FIRST)
}

/// Whether `line` is the kernel's message that it starts init (init/main.c).
pub fn starts_init(line: &str) -> bool {
    line.starts_with("Run ") && line.ends_with(" as init process")
}

/// The beginnings in `EARLY` are shorter than this, in bytes. So a longer line need not be searched for them.
const BANNER: usize = 32;

/// The examined length of a line, in bytes. The path of an init is shorter.
const KEPT: usize = 512;

/// The longest time stamp, in bytes.
const STAMP: usize = 40;

/// The author of bytes that do not follow a time stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Author {
    /// Not known yet.
    #[default]
    Unknown,
    /// The firmware, up to and including a line with this beginning.
    Firmware(&'static str),
    /// The kernel, in this line only.
    Line,
    /// A kernel that writes no times.
    Kernel,
    /// The same after its message that it starts init. With `loglevel=8`, indented lines follow.
    KernelStarts,
    /// A program.
    Program,
}

/// Separates the output of programs from all other output, from the first byte of the console on.
#[derive(Debug, Default)]
pub struct Sieve {
    author: Author,
    stamp: Stamp,
    /// The bytes of a possible time stamp.
    held: Vec<u8>,
    /// Whether the current byte follows a time stamp in its line.
    in_message: bool,
    /// The beginning of the line, or of the message.
    line: Vec<u8>,
    /// The new output of programs.
    programs: Vec<u8>,
    withdrawn: bool,
}

impl Sieve {
    /// Takes the next byte. Returns the bytes that are now known to be a program's, and whether all bytes
    /// returned before are withdrawn because a program did not write them.
    pub fn feed(&mut self, byte: u8) -> (&[u8], bool) {
        self.programs.clear();
        self.withdrawn = false;
        if self.in_message {
            self.feed_message(byte);
        } else {
            self.stamp = self.stamp.next(byte);
            match self.stamp {
                Stamp::Over => {
                    self.held.clear();
                    self.line.clear();
                    self.stamp = Stamp::No;
                    self.in_message = true;
                }
                Stamp::No => {
                    self.release();
                    self.feed_line(byte);
                }
                // The held bytes are not a time stamp.
                Stamp::Open if byte == b'[' => {
                    self.release();
                    self.held.push(byte);
                }
                _ if self.held.len() < STAMP => self.held.push(byte),
                _ => {
                    self.stamp = Stamp::No;
                    self.release();
                    self.feed_line(byte);
                }
            }
        }
        (&self.programs, self.withdrawn)
    }

    /// Takes a byte after a time stamp.
    fn feed_message(&mut self, byte: u8) {
        if byte != b'\n' {
            self.keep(byte);
            return;
        }
        self.in_message = false;
        let message = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        if is_first(&message) {
            self.withdrawn = true;
        }
        // The kernel writes times, so output without a time is not the kernel's.
        self.author = Author::Program;
    }

    fn release(&mut self) {
        for byte in std::mem::take(&mut self.held) {
            self.feed_line(byte);
        }
    }

    /// Takes a byte that follows no time stamp.
    fn feed_line(&mut self, byte: u8) {
        if byte == b'\n' {
            self.end_line();
            return;
        }
        self.keep(byte);
        match self.author {
            Author::Unknown => {
                let line = Some(&self.line).filter(|line| line.len() < BANNER);
                let line = line.and_then(|line| std::str::from_utf8(line).ok());
                let banner = line.and_then(early);
                if self.line == FIRST.as_bytes() {
                    self.withdraw(Author::Kernel);
                } else if let Some((_, last)) = banner {
                    self.withdraw(last.map_or(Author::Line, Author::Firmware));
                } else {
                    self.programs.push(byte);
                }
            }
            Author::Firmware(_) if self.line == FIRST.as_bytes() => self.author = Author::Kernel,
            Author::KernelStarts
                if !b"  ".starts_with(&self.line) && !self.line.starts_with(b"  ") =>
            {
                self.author = Author::Program;
                self.programs.extend_from_slice(&self.line);
            }
            Author::Program => self.programs.push(byte),
            _ => {}
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_end();
        match self.author {
            Author::Line => self.author = Author::Unknown,
            Author::Firmware(last) if line.starts_with(last) => self.author = Author::Unknown,
            Author::Kernel if starts_init(line) => self.author = Author::KernelStarts,
            Author::Unknown | Author::Program => self.programs.push(b'\n'),
            _ => {}
        }
        self.line.clear();
    }

    fn withdraw(&mut self, author: Author) {
        self.author = author;
        self.withdrawn = true;
        self.programs.clear();
    }

    fn keep(&mut self, byte: u8) {
        if self.line.len() < KEPT {
            self.line.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The output of programs in `console`.
    fn programs(console: &str) -> String {
        let mut sieve = Sieve::default();
        let mut programs = Vec::new();
        for byte in console.bytes() {
            let (bytes, withdrawn) = sieve.feed(byte);
            if withdrawn {
                programs.clear();
            }
            programs.extend_from_slice(bytes);
        }
        String::from_utf8(programs).unwrap()
    }

    #[test]
    fn a_message_after_a_time_stamp_is_the_kernels() {
        for (console, expected) in [
            ("[    0.123456] Hello\r\n", ""),
            ("[    0.123456][    T1] Hello\n", ""),
            ("[    T1] Hello\n", ""),
            ("Hello\n", "Hello\n"),
            ("login: [    0.123456] Hello\r\nx", "login: x"),
            ("Hel[    0.123456] random: crng init done\r\nlo", "Hello"),
            (
                "[x] [[ [1] [1.5] [    0.1234567] ",
                "[x] [[ [1] [1.5] [    0.1234567] ",
            ),
            // One after the other.
            ("[    0.1[    0.123456] x\n]", "[    0.1]"),
            ("a[    0.123456] x\n[    0.123456] y\nb", "ab"),
        ] {
            assert_eq!(programs(console), expected, "{console}");
        }
        let long = format!("[{}", "0".repeat(1000));
        assert_eq!(programs(&long), long);
    }

    #[test]
    fn output_before_the_kernel_is_withdrawn() {
        let kernel = "[    0.000000] Linux version 6.12.95\n[    0.000000] Command line: Hello\n";
        assert_eq!(programs("Hello\n"), "Hello\n");
        assert_eq!(programs(&format!("Hello\n{kernel}")), "");
        // Other messages do not withdraw it: a quiet kernel prints errors.
        assert_eq!(programs("Hello\n[    0.300000] oh\nx"), "Hello\nx");
        assert_eq!(programs(&format!("{kernel}Hello\n")), "Hello\n");
    }

    #[test]
    fn a_firmware_is_recognised_by_its_banner() {
        let sbi =
            "\nOpenSBI v1.1\n   ____\n\nPlatform Name : Hello\nBoot HART MEDELEG         : 0x1\n";
        assert_eq!(programs(sbi), "");
        // The kernel is quiet.
        assert_eq!(programs(&format!("{sbi}Hello\n")), "Hello\n");
        let bios = "SeaBIOS (version 1.16.2)\nHello\nBooting from ROM..\n";
        assert_eq!(programs(&format!("{bios}x")), "x");
        let setup = "Probing EDD (edd=off to disable)... ok\nx\n";
        assert_eq!(programs(setup), "x\n");
        let efi = "UEFI firmware (version edk2)\nHello\nEFI stub: Booting Linux Kernel...\nEFI stub: Hello\nx";
        assert_eq!(programs(efi), "x");
        // A program may print a banner.
        assert_eq!(
            programs("[    0.300000] oh\nOpenSBI v1.1\nx"),
            "OpenSBI v1.1\nx"
        );
    }

    #[test]
    fn without_times_programs_begin_after_the_kernels_message() {
        let kernel = "x\nLinux version 6.12.95 (a@b)\nCommand line: x -- Hello\nRun Hello\n";
        assert_eq!(programs(kernel), "");
        let starts = "Run /init as init process\r\n";
        assert_eq!(programs(&format!("{kernel}{starts}Hello\r\n")), "Hello\r\n");
        let arguments =
            "  with arguments:\n    /init\n    Hello\n  with environment:\n    HOME=/\n";
        assert_eq!(
            programs(&format!("{kernel}{starts}{arguments} Hello\n  x\n")),
            " Hello\n  x\n"
        );
        assert_eq!(
            programs(&format!("OpenSBI v1\n{kernel}{starts}Hello\n")),
            "Hello\n"
        );
        // Only its first messages have no times.
        let late = "[    0.000000] x\nHello\n";
        assert_eq!(programs(&format!("{kernel}{late}")), "Hello\n");
    }

    #[test]
    fn banners_are_as_short_as_they_are_taken_for() {
        assert!(EARLY.iter().all(|(first, ..)| first.len() < BANNER));
    }

    #[test]
    fn endless_output_takes_no_memory() {
        let mut sieve = Sieve::default();
        for byte in "x[    0.123456] ".bytes().chain([b'y'; 100_000]) {
            sieve.feed(byte);
        }
        assert!(sieve.line.capacity() <= 2 * KEPT && sieve.held.capacity() <= 2 * STAMP);
    }
}
