//! The test guest's code.

#![allow(unsafe_code)] // For assembler, and a symbol in it.

use std::arch::global_asm;

use super::{
    CODE_AT, CODE_SELECTOR, DATA_SELECTOR, GDT_POINTER, NUMBER, PML4, PORT, SSE, STATE, X87,
};

/// The size of the code with its padding. The assembler rejects longer code.
const SIZE: usize = 256;

// SAFETY: the assembler below defines this symbol with this size, in read-only memory.
unsafe extern "C" {
    /// The guest's code.
    #[link_name = "BOOT_PROBE_CODE"]
    pub safe static CODE: [u8; SIZE];
}

// The host never executes this. It is copied to CODE_AT in the guest, so absolute addresses are relative
// to CODE_AT.
global_asm!(
    ".pushsection .rodata.boot_probe, \"a\", @progbits",
    ".globl BOOT_PROBE_CODE",
    "BOOT_PROBE_CODE:",
    ".code32",
    "lgdt [{GDT_POINTER}]",
    // Long mode: PAE, page tables, EFER.LME, paging. And SSE: OSFXSR, OSXMMEXCPT; MP, not EM.
    "mov eax, cr4",
    "or eax, (1 << 5) | (1 << 9) | (1 << 10)",
    "mov cr4, eax",
    "mov eax, {PML4}",
    "mov cr3, eax",
    "mov ecx, 0xc0000080",
    "rdmsr",
    "or eax, 1 << 8",
    "wrmsr",
    "mov eax, cr0",
    "and eax, ~(1 << 2)",
    "or eax, (1 << 31) | (1 << 1)",
    "mov cr0, eax",
    // Jump to the 64-bit code segment.
    "push {CODE_SELECTOR}",
    ".set BOOT_PROBE_LONG, {CODE_AT} + 2f - BOOT_PROBE_CODE",
    "mov eax, offset BOOT_PROBE_LONG",
    "push eax",
    "retf",
    ".code64",
    "2:",
    "mov eax, {DATA_SELECTOR}",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    // Load a number into an x87 register and another into an SSE register. A KVM that emulates these
    // instructions failed here with an internal error.
    "mov edi, {NUMBER}",
    "mov esi, {STATE}",
    "fninit",
    "mov dword ptr [rdi], {X87}",
    "fild dword ptr [rdi]",
    "mov eax, {SSE}",
    "movd xmm0, eax",
    // Save, clear and restore. Kernels hung here in a broken KVM.
    "fxsave64 [rsi]",
    "fninit",
    "xorps xmm0, xmm0",
    "fxrstor64 [rsi]",
    // CPUID.1:ECX.XSAVE?
    "mov eax, 1",
    "cpuid",
    "bt ecx, 26",
    "jnc 3f",
    // Set CR4.OSXSAVE, then enable x87, SSE and AVX as far as CPUID.0DH reports them.
    "mov rax, cr4",
    "bts eax, 18",
    "mov cr4, rax",
    "mov eax, 0xd",
    "xor ecx, ecx",
    "cpuid",
    "and eax, 7",
    "xor edx, edx",
    "xor ecx, ecx",
    "xsetbv",
    "xsave64 [rsi]",
    "fninit",
    "xorps xmm0, xmm0",
    "xrstor64 [rsi]",
    "3:",
    "movd eax, xmm0",
    "fistp dword ptr [rdi]",
    "add eax, [rdi]",
    "mov edx, {PORT}",
    "out dx, eax",
    "4: hlt",
    "jmp 4b",
    ".fill {SIZE} - (. - BOOT_PROBE_CODE)",
    ".popsection",
    CODE_AT = const CODE_AT,
    CODE_SELECTOR = const CODE_SELECTOR,
    SIZE = const SIZE,
    DATA_SELECTOR = const DATA_SELECTOR,
    GDT_POINTER = const GDT_POINTER,
    NUMBER = const NUMBER,
    PML4 = const PML4,
    PORT = const PORT,
    SSE = const SSE,
    STATE = const STATE,
    X87 = const X87,
);
