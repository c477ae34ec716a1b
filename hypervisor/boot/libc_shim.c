/* SPDX-License-Identifier: MIT */
/* libc_shim.c - malloc and friends for the decompression libraries, on the hypervisor's heap. Boot
 * only. */
#include "boot/libc_shim.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/page_alloc.h"
#include "x86/asm.h"
#include "x86/layout.h"

/* The names are the C library's. */
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);

/* The thread area: only the canary at offset 0x28 is ever read. */
static u64 thread_area[8] = { [5] = 0x73746f7265766973ULL };

/* The libraries' constructors (linker script); liblzma chooses its CRC64 in one. */
extern void (*const init_array_start[])(void);
extern void (*const init_array_end[])(void);

void libc_shim_enter(void)
{
	static bool constructed;

	clts();
	wrmsr(MSR_FS_BASE, (u64)(uintptr_t)thread_area);
	for (void (*const *fn)(void) = init_array_start; fn < init_array_end && !constructed; fn++)
		(*fn)();
	constructed = true;
}

void libc_shim_leave(void)
{
	wrmsr(MSR_FS_BASE, 0);
	write_cr0(read_cr0() | X86_CR0_TS);
}

void frames_free_dirty(struct frame *f, unsigned int order)
{
	for (u64 i = 0; i < 1ULL << order; i++)
		f[i].ref |= FRAME_DIRTY;
	frames_free(f, order);
}

/* Large blocks come as they are: zeroing a dictionary of many megabytes would be for nothing. */
void *malloc(size_t size)
{
	unsigned int order = 0;
	struct frame *f;

	if (size < PAGE_SIZE)
		return xzalloc(size ? size : 1);
	while ((PAGE_SIZE << order) < size)
		order++;
	f = frames_alloc(order, 0);
	if (!f)
		return NULL;
	frame_set_order(f, order);
	return mfn_to_virt(frame_to_mfn(f));
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = malloc(bytes);
	return p ? memset(p, 0, bytes) : NULL;
}

void free(void *p)
{
	if ((uintptr_t)p & PAGE_OFFSET_MASK || !p)
		xfree(p);
	else
		frames_free_dirty(virt_to_frame(p), frame_order(virt_to_frame(p)));
}

/* hypervisor.lds puts this in the place of libzstd's decoders for frames older than its 0.8. */
void zstd_legacy_frame(void);

void zstd_legacy_frame(void)
{
	hv_panic("boot: libzstd met an old frame behind a new magic number");
}

/* Weak hooks of libzstd: an undefined weak symbol is address 0, out of reach of a near call here.
 */
unsigned long long ZSTD_trace_decompress_begin(const void *ctx);
void ZSTD_trace_decompress_end(unsigned long long ctx, const void *trace);

unsigned long long ZSTD_trace_decompress_begin(const void *ctx)
{
	return 0; /* tracing is off: the end is never called */
}

void ZSTD_trace_decompress_end(unsigned long long ctx, const void *trace)
{
}
