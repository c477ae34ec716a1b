/* SPDX-License-Identifier: MIT */
/*
 * fake_xend.h - a stand-in for xend and consback: keeps the store's contracts (docs/store-paths.md)
 * without any domain. Speaks <xenstore.h> only, so it runs over the tree in memory as a thread of
 * the tests and over a real daemon as a process (fake_xend_main.c).
 *
 * What a guest does is read from words in its cmdline:
 *   fake=fail   the start fails with an error        fake=hang   it stays in state starting
 *   fake=exit   it shuts down as soon as it runs     fake=deaf   it does not follow shutdown
 *   fake=mute   it has no console
 * On its console a guest says "NAME on domain N" and answers each line LINE with "heard LINE".
 * The lines "reboot" and "poweroff" do what they say.
 */
#ifndef TEST_FAKE_XEND_H
#define TEST_FAKE_XEND_H

struct fake_xend;

/* Starts a thread with a store handle of its own; returns when /host and Domain-0 are there. */
struct fake_xend *fake_xend_start(void);

/* Ends it: domains and consoles vanish, the store is left as it is. */
void fake_xend_stop(struct fake_xend *x);

/* Runs in the calling thread until @fd is readable. */
void fake_xend_run(int fd);

#endif
