/* What the small kernel cannot be told by configuration. make.sh has this included first everywhere, in C, assembler and the
 * linker script alike (KCPPFLAGS), so that the sources stay as they are, whichever tree they are from.
 */
#ifndef SMALL_H
#define SMALL_H

/* Init code is not overwritten before its memory is freed: free_reserved_area() takes -1 for "no poison". Under TCG each store to
 * a page with code that was translated is an affair of microseconds, and there are 12,000 such stores: 100 of 330 ms.
 */
#include <linux/poison.h>
#undef POISON_FREE_INITMEM
#define POISON_FREE_INITMEM (-1)

/* In the linker script of x86-64: text, the entry code, read-only data, data and the end of .bss begin on a page, not each on a large page
 * of 2 MiB. The kernel then takes 2.2 MiB of memory in place of 8, of which QEMU loads and the kernel clears (with a `rep stosb`,
 * 1.2 MB) and frees the less. The price: once write protection is on, the kernel is mapped by small pages.
 */
#if defined LINKER_SCRIPT && defined __x86_64__
#include <asm/page_types.h>
#include <asm/pgtable_64_types.h>
#undef HPAGE_SIZE
#define HPAGE_SIZE PAGE_SIZE
#undef PMD_SIZE
#define PMD_SIZE PAGE_SIZE
#endif

/* In assembler: the kernel allows floating point before its first C function, and not in the middle of the boot. TCG's blocks are valid
 * for one state of the processor, of which this is a part: what had been translated until then would be translated once more.
 */
#if defined __ASSEMBLER__ && !defined LINKER_SCRIPT

/* x86-64: CR4.OSFXSR together with CR4.PAE. Every x86-64 processor has it. 77,000 instructions are translated instead of 92,000. */
#ifdef __x86_64__
#include <asm/processor-flags.h>
#undef X86_CR4_PAE
#define X86_CR4_PAE (_BITUL(X86_CR4_PAE_BIT) | X86_CR4_OSFXSR)
#endif

/* aarch64: CPACR_EL1.FPEN, bits 20 and 21, in __cpu_setup, before another register that this macro resets there: 94,000 instead
 * of 123,000. */
#ifdef __aarch64__
#include <asm/assembler.h>
#define reset_amuserenr_el0 mov x1, #(3 << 20); msr cpacr_el1, x1; reset_amuserenr_el0
#endif

#endif

#endif
