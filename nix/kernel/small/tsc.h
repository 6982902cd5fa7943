/* For arch/x86/kernel/tsc.c alone. Told how fast the TSC counts (tsc_early_khz=), the kernel measures the CPU's speed all the same, and
 * then takes that of the TSC for it. It does so beside the PIT, which takes 10 of 180 ms. Where it sees no PIC it does not.
 */
#include <linux/init.h>
#include <asm/i8259.h>
#define has_legacy_pic() (!tsc_early_khz && has_legacy_pic())

/* Not only init code calls what has that in it. */
#undef __initdata
#define __initdata

/* tsc.c has one of its own. */
#undef pr_fmt
