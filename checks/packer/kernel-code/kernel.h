/* What init/initramfs.c, lib/decompress*.c and lib/lzo/ take from the kernel, for a program of the host. The kernel's headers that
 * they include are empty files here. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned short umode_t;
typedef long long time64_t;

#define __init
#define __initdata
#define __initconst
#define __always_inline inline
#define likely(x) (x)
#define unlikely(x) (x)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define EXPORT_SYMBOL_GPL(x)
#define MODULE_LICENSE(x)
#define MODULE_DESCRIPTION(x)
#define pr_debug(...) do { } while (0)
#define pr_err(...) do { } while (0)
#define GFP_KERNEL 0
#define simple_strtoul strtoul
#define le16_to_cpu(x) (x)
#define le32_to_cpu(x) (x)
#define le64_to_cpu(x) (x)

/* The formats of which the code needs little else. The check `unpack` boots a kernel with the others. */
#define CONFIG_DECOMPRESS_BZIP2 1
#define CONFIG_DECOMPRESS_LZMA 1
#define CONFIG_DECOMPRESS_LZO 1

static inline void *kmalloc(size_t size, int flags) { return malloc(size); }
static inline void kfree(const void *p) { free((void *)p); }
static inline void *vmalloc(size_t size) { return size > 256 << 20 ? NULL : malloc(size); }
static inline void vfree(void *p) { free(p); }
static inline u16 get_unaligned_be16(const void *p) { const u8 *b = p; return b[0] << 8 | b[1]; }
static inline u16 get_unaligned_le16(const void *p) { const u8 *b = p; return b[1] << 8 | b[0]; }
static inline u32 get_unaligned_be32(const void *p) { const u8 *b = p; return (u32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]; }
