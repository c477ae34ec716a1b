/* SPDX-License-Identifier: MIT */
/*
 * doc_limits.h - whether a document can be written at all by who is not privileged: a guest has
 * quotas, dom0 has none.
 */
#ifndef STOREVISOR_XS_DOC_LIMITS_H
#define STOREVISOR_XS_DOC_LIMITS_H

struct doc;

/*
 * Asks the daemon for the limits, when it has some for us and tells them; reports every node of
 * @d beyond them and then ends the program (CLI_USAGE), so that nothing was changed. A daemon that
 * does not tell refuses in the transaction, which is then as good as not begun.
 */
void doc_limits_check(struct doc *d);

#endif
