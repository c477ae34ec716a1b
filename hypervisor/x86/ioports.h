/* SPDX-License-Identifier: MIT */
/* ioports.h - what of the machine the hypervisor keeps from dom0 (ioports.c). */
#ifndef HV_X86_IOPORTS_H
#define HV_X86_IOPORTS_H

#include "lib/types.h"

/* True for IO ports the hypervisor keeps from dom0 (its UART, PIC, PIT channel 0, ...) */
bool ioport_is_hv(u16 port, unsigned int len);
/* True for MMIO frames the hypervisor keeps (LAPIC, IO-APICs). */
bool mmio_is_hv(mfn_t mfn);

#endif
