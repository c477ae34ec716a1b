/* SPDX-License-Identifier: MIT */
/* pic.h - the 8259 pair, which is only switched off (pic.c). */
#ifndef HV_X86_PIC_H
#define HV_X86_PIC_H

/* Boot. */
void pic_disable(void);

#endif
