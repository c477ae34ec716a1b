/* SPDX-License-Identifier: MIT */
/*
 * fuzz_privcmd.h - libxencall and libxenforeignmemory over a machine in memory with one new domain,
 * whose every hypercall is judged: it is one that building a domain takes, of that domain and no
 * other, and what it points at is hypercall memory, as long as the hypervisor will read. The rest
 * is the hypervisor's to refuse, and here it does: frames that are not the domain's, page tables to
 * write to.
 */
#ifndef FUZZ_PRIVCMD_H
#define FUZZ_PRIVCMD_H

#include <stdbool.h>
#include <stdint.h>

#define PRIVCMD_DOMID 7
#define PRIVCMD_PAGES 1024u /* of the domain at most */
#define PRIVCMD_VCPUS 4u
#define PRIVCMD_SHARED_INFO 0x5151u /* its mfn */

/*
 * A new machine. @honest: who asks is ours, so that a frame it names, other than in a list that the
 * file gives, is one that it was given.
 */
void privcmd_reset(bool honest);
/* Everything that was taken has been given back; how many hypercalls there were. */
unsigned long privcmd_done(void);

#endif
