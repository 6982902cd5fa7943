//! The guest's code: what a kernel does first, and what a KVM that does not work fails at.

#![allow(unsafe_code)] // For assembler, and a name in it.

use std::arch::global_asm;

use super::{
    CODE_AT, CODE_SELECTOR, DATA_SELECTOR, GDT_POINTER, NUMBER, PML4, PORT, SSE, STATE, X87,
};

/// Room for it. The assembler refuses more.
const SIZE: usize = 256;

// SAFETY: the assembler below defines it, that long, where nothing can write to it.
unsafe extern "C" {
    /// The guest's code.
    #[link_name = "BOOT_PROBE_CODE"]
    pub safe static CODE: [u8; SIZE];
}

// Nothing on the host runs this. It is copied to CODE_AT, so what it refers to absolutely is counted
// from there.
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
    // The 64-bit code segment, out of the GDT.
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
    // A number into an x87 register, another into an SSE register. A KVM that emulates what it
    // should have the CPU execute was seen to give up here, with an internal error.
    "mov edi, {NUMBER}",
    "mov esi, {STATE}",
    "fninit",
    "mov dword ptr [rdi], {X87}",
    "fild dword ptr [rdi]",
    "mov eax, {SSE}",
    "movd xmm0, eax",
    // Out and in again. Kernels were seen to spin for ever at this.
    "fxsave64 [rsi]",
    "fninit",
    "xorps xmm0, xmm0",
    "fxrstor64 [rsi]",
    // CPUID.1:ECX.XSAVE?
    "mov eax, 1",
    "cpuid",
    "bt ecx, 26",
    "jnc 3f",
    // CR4.OSXSAVE, then x87, SSE and AVX as far as CPUID.0DH has them.
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
