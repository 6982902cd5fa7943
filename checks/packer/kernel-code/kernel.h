/* What init/initramfs.c, lib/decompress*.c and the libraries that these use take from the kernel, for a program of the host. The
 * kernel's headers that they include are empty files here. */
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
#define fallthrough __attribute__((fallthrough))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define IS_ENABLED(option) 1
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), "")
#define PTR_ALIGN(p, size) ((__typeof__(p))(((uintptr_t)(p) + (size) - 1) & -(uintptr_t)(size)))
#define EXPORT_SYMBOL(x)
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
#define le32_to_cpup(p) get_unaligned_le32(p)

/* All formats. */
#define CONFIG_DECOMPRESS_BZIP2 1
#define CONFIG_DECOMPRESS_GZIP 1
#define CONFIG_DECOMPRESS_LZ4 1
#define CONFIG_DECOMPRESS_LZMA 1
#define CONFIG_DECOMPRESS_LZO 1
#define CONFIG_DECOMPRESS_XZ 1
#define CONFIG_DECOMPRESS_ZSTD 1

static inline void *kmalloc(size_t size, int flags) { return malloc(size); }
static inline void kfree(const void *p) { free((void *)p); }
static inline void *vmalloc(size_t size) { return size > 256 << 20 ? NULL : malloc(size); }
static inline void vfree(void *p) { free(p); }
static inline u16 get_unaligned_be16(const void *p) { const u8 *b = p; return b[0] << 8 | b[1]; }
static inline u32 get_unaligned_be32(const void *p) { const u8 *b = p; return (u32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]; }

/* This host is little-endian, too. */
#define get_unaligned(p) ({ __typeof__(*(p)) unaligned_; memcpy(&unaligned_, p, sizeof unaligned_); unaligned_; })
#define put_unaligned(v, p) ({ __typeof__(*(p)) unaligned_ = v; memcpy(p, &unaligned_, sizeof unaligned_); (void)0; })
#define get_unaligned_le16(p) get_unaligned((const u16 *)(p))
#define get_unaligned_le32(p) get_unaligned((const u32 *)(p))
#define get_unaligned_le64(p) get_unaligned((const u64 *)(p))
#define put_unaligned_le16(v, p) put_unaligned(v, (u16 *)(p))

/* The tables of lib/crc32.c are generated. */
static inline u32 crc32_le(u32 crc, const void *from, size_t size)
{
	const u8 *p = from;

	while (size--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return crc;
}
