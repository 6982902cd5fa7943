//! For the 16550 of QEMU's machine virt.

use super::{TEXT, words};

/// A flat binary, which the firmware enters at its first byte: 40 bytes of code, and the text.
pub fn kernel() -> Vec<u8> {
    let mut binary = words(&[
        0x0000_0517, // auipc a0, 0
        0x0285_0513, // addi a0, a0, 40: text
        0x1000_05b7, // lui a1, 0x10000: the port, at 0x10000000
        // next:
        0x0005_4603, // lbu a2, 0(a0)
        0x0006_0863, // beqz a2, end
        0x00c5_8023, // sb a2, 0(a1)
        0x0015_0513, // addi a0, a0, 1
        0xff1f_f06f, // j next
        // end:
        0x1050_0073, // wfi
        0xffdf_f06f, // j end
    ]);
    binary.extend(TEXT);
    binary.push(0);
    binary
}
