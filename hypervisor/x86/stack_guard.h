/* SPDX-License-Identifier: MIT */
/*
 * stack_guard.h - the value that the compiler puts below each return address behind which a
 * function has a text buffer, and looks at again before it returns (-fstack-protector). One for all
 * CPUs: the stacks are the hypervisor's alone, and GS, where compilers keep one a thread, is the
 * guest's.
 */
#ifndef HV_X86_STACK_GUARD_H
#define HV_X86_STACK_GUARD_H

/*
 * Boot list, early: a value that nobody can know. Whoever calls it must never return: what lies on
 * its stack is the value of before.
 */
void stack_guard_init(void);

#endif
