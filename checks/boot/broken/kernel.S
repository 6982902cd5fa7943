/* A kernel of one instruction, INSTRUCTION, where PVH enters it: in 32-bit mode, without a table of interrupts. */
.section .note, "a", @note
.long 4, 4, 18 /* name, address, XEN_ELFNOTE_PHYS32_ENTRY */
.asciz "Xen"
.long _start
.text
.code32
.globl _start
_start: INSTRUCTION
