/* SPDX-License-Identifier: MIT */
/*
 * host.h - a host for xm's tests: the real xend, on the machine in memory of tests/unit/xend, over
 * the store in memory; and around it what is not xend: backends, consoles and guests. All in one
 * thread with store handles of its own.
 *
 * What a guest or its devices do is read from words in its cmdline:
 *   fake=hang   its backends never connect: it stays starting
 *   fake=fail   its disks cannot be opened
 *   fake=deaf   it does not follow shutdown
 *   fake=busy   it does not let go of its devices    fake=mute   it has no console
 * A disk whose target has "broken" in it cannot be opened.
 * On its console a guest says "NAME on domain N" and answers each line LINE with "heard LINE".
 * The lines "reboot" and "poweroff" do what they say.
 */
#ifndef TEST_HOST_H
#define TEST_HOST_H

/* Returns when xend has started: /host and Domain-0 are there. */
void host_start(void);

/* Ends it, if it runs: domains and consoles vanish, the store is left as it is. */
void host_stop(void);

/*
 * From now on xend's time goes on to where something is to be done as soon as there is nothing to
 * be done before: what it waits for in vain is over at once.
 */
void host_hurry(void);

#endif
