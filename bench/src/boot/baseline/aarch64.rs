//! For the PL011 of QEMU's machine virt.

use super::{TEXT, words};

/// A flat binary, which QEMU enters at its first byte: 32 bytes of code, and the text.
pub fn kernel() -> Vec<u8> {
    let mut binary = words(&[
        0x1000_0100, // adr x0, text
        0x52a1_2001, // mov w1, #0x9000000, the port's data register
        // next:
        0x3840_1402, // ldrb w2, [x0], #1
        0x3400_0062, // cbz w2, end
        0xb900_0022, // str w2, [x1]
        0x17ff_fffd, // b next
        // end:
        0xd503_207f, // wfi
        0x17ff_ffff, // b end
    ]);
    binary.extend(TEXT);
    binary.push(0);
    binary
}
