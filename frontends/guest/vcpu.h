/* SPDX-License-Identifier: MIT */
/* vcpu.h - further vcpus of the guest. */
#ifndef KIT_VCPU_H
#define KIT_VCPU_H

#include "guest/guest.h"

/*
 * Gives vcpu @id (from 1) a context that runs @fn(@arg) on a stack of its own and brings it up. Its
 * events stay masked; when @fn returns the vcpu goes down. 0 or the errno of the failed call.
 */
long vcpu_run(unsigned int id, void (*fn)(void *), void *arg);
/* The context alone, for programs that change it first; @ctx is filled in. */
void vcpu_context(struct vcpu_guest_context *ctx, unsigned int id, void (*fn)(void *), void *arg);
/* Whether it is up; -errno when there is none. */
long vcpu_is_up(unsigned int id);

#endif
