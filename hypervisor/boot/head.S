/* SPDX-License-Identifier: MIT */
/*
 * head.S - from the boot loader's 32-bit protected mode to 64-bit C. Builds throw-away page tables
 * that map the first 4 GiB three times: where it is, as the image, and as the direct map.
 * Source: Multiboot2 specification 2.0, chapters 3.1 and 3.2.
 */
#include "x86/layout.h"
#include "x86/offsets.h"

#define MB2_MAGIC 0xe85250d6
#define MB2_TAG_END 0
#define MB2_TAG_INFO_REQUEST 1
#define MB2_TAG_FRAMEBUFFER 5
#define MB2_TAG_MODULE_ALIGN 6
#define MB2_OPTIONAL 1
#define MB2_INFO_CMDLINE 1
#define MB2_INFO_MODULE 3
#define MB2_INFO_MMAP 6

#define PTE_TABLE 0x3	/* present, writable */
#define PTE_LARGE 0x83	/* present, writable, 2 MiB */
#define EFER_LME_NXE_SCE 0x901
#define CR4_PAE 0x20
#define CR0_PG_WP_PE 0x80010001
#define BOOT_CS64 0x08
#define BOOT_DS 0x10
#define BOOT_CS32 0x18

/* Physical address of a symbol of the image. */
#define PHYS(sym) ((sym) - IMAGE_START)

	/* From protected mode, with boot_gdt, to 64-bit code at @target. Clobbers EAX, ECX, EDX. */
	.macro LONG_MODE target
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$PHYS(boot_l4), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$EFER_LME_NXE_SCE, %eax
	wrmsr
	mov	$CR0_PG_WP_PE, %eax
	mov	%eax, %cr0
	ljmp	$BOOT_CS64, $PHYS(\target)
	.endm

	.section .multiboot2, "a", @progbits
	.balign	8
header:
	.long	MB2_MAGIC, 0, header_end - header, -(MB2_MAGIC + (header_end - header))
	.balign	8
	.short	MB2_TAG_INFO_REQUEST, 0
	.long	20
	.long	MB2_INFO_CMDLINE, MB2_INFO_MODULE, MB2_INFO_MMAP
	.balign	8
	.short	MB2_TAG_FRAMEBUFFER, MB2_OPTIONAL /* any size; else text, or none */
	.long	20, 0, 0, 0
	.balign	8
	.short	MB2_TAG_MODULE_ALIGN, 0
	.long	8
	.balign	8
	.short	MB2_TAG_END, 0
	.long	8
header_end:

	.section .text.head, "ax", @progbits
	.code32
	.globl	start
start:
	cld
	cli
	mov	%eax, %edi		/* arguments of boot_main() */
	mov	%ebx, %esi
	mov	$PHYS(cpu_stack_end - CPU_INFO_SIZE - 8), %esp

	/* Level 2: 2048 entries of 2 MiB in four pages. */
	mov	$PHYS(boot_l2), %ebx
	mov	$PTE_LARGE, %eax
	mov	$2048, %ecx
1:	mov	%eax, (%ebx)
	add	$0x200000, %eax
	add	$8, %ebx
	loop	1b
	/* Level 3: the first four entries. */
	mov	$PHYS(boot_l3), %ebx
	mov	$PHYS(boot_l2) + PTE_TABLE, %eax
	mov	$4, %ecx
2:	mov	%eax, (%ebx)
	add	$0x1000, %eax
	add	$8, %ebx
	loop	2b
	/* Level 4: identity, image, direct map. */
	mov	$PHYS(boot_l3) + PTE_TABLE, %eax
	mov	%eax, PHYS(boot_l4)
	mov	%eax, PHYS(boot_l4 + 261 * 8)
	mov	%eax, PHYS(boot_l4 + 262 * 8)

	lgdt	PHYS(boot_gdtr)
	LONG_MODE long_mode

	.code64
long_mode:
	mov	$BOOT_DS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	movabs	$high, %rax
	jmp	*%rax
high:	movabs	$IMAGE_START, %rax
	add	%rax, %rsp
	mov	%edi, %edi
	mov	%esi, %esi
	xor	%ebp, %ebp
	call	boot_main
	ud2

	/*
	 * The other CPUs (smp_start.c). They begin in real mode at the start of a page below 1 MiB:
	 * these few bytes are copied there. The rest runs in the image.
	 */
	.section .rodata
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	ap_gdtr - ap_trampoline
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$BOOT_CS32, $PHYS(ap_protected)
	.balign	4
ap_gdtr:
	.short	boot_gdtr - boot_gdt - 1
	.long	PHYS(boot_gdt)
ap_trampoline_end:

	.section .text.head
	.code32
ap_protected:
	mov	$BOOT_DS, %eax
	mov	%eax, %ss
	mov	%eax, %ds
	mov	%eax, %es
	LONG_MODE ap_long_mode
	.code64
ap_long_mode:
	movabs	$1f, %rax
	jmp	*%rax
1:	mov	ap_cr3(%rip), %rax
	mov	%rax, %cr3
	mov	ap_stack(%rip), %rsp
	xor	%ebp, %ebp
	call	ap_main
	ud2

	.section .rodata
	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf93000000ffff	/* data */
	.quad	0x00cf9b000000ffff	/* 32-bit code */
boot_gdtr:
	.short	boot_gdtr - boot_gdt - 1
	.long	PHYS(boot_gdt)

	.bss
	.balign	4096
boot_l4:
	.skip	4096
boot_l3:
	.skip	4096
boot_l2:
	.skip	4 * 4096

	.section .note.GNU-stack, "", @progbits
