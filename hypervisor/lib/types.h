/* SPDX-License-Identifier: MIT */
/*
 * types.h - the few types every file of the hypervisor uses. Frame numbers are opaque structs, so
 * that a machine frame never mixes with a guest frame or a byte address by accident.
 */
#ifndef HV_LIB_TYPES_H
#define HV_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 maddr_t;	/* machine byte address */
typedef s64 s_time_t;	/* nanoseconds since boot */
typedef u16 domid_hv_t; /* a domid as stored in a frame record */

typedef struct {
	u64 n;
} mfn_t; /* machine frame number */

#define INVALID_MFN_NR (~0ULL)

static inline mfn_t _mfn(u64 n)
{
	return (mfn_t){ n };
}

static inline u64 mfn_x(mfn_t m)
{
	return m.n;
}

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
	return a.n == b.n;
}

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_OFFSET_MASK (PAGE_SIZE - 1)
#define PFN_UP(x) (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x) ((x) >> PAGE_SHIFT)

static inline maddr_t mfn_to_maddr(mfn_t m)
{
	return m.n << PAGE_SHIFT;
}

static inline mfn_t maddr_to_mfn(maddr_t ma)
{
	return _mfn(ma >> PAGE_SHIFT);
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define BITS_TO_U64S(n) (((n) + 63) / 64)
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ volatile("" ::: "memory")
#define must_check __attribute__((warn_unused_result))

#endif
