/* SPDX-License-Identifier: MIT */
/*
 * text_reply.h - answers of CONTROL that are lines of text, and may be longer than a message is:
 * then the last line says so, "... 12 more lines (from 80)", and how to go on. Only a line that is
 * longer than a message itself is cut.
 */
#ifndef XENSTORED_TEXT_REPLY_H
#define XENSTORED_TEXT_REPLY_H

#include <stdint.h>

struct buf;
struct req;

/* As many lines of @text as fit are the reply; it is freed. 0. */
int text_reply(struct req *r, struct buf *text);
/* The same from line number @from on (a client's: any value). */
int text_reply_from(struct req *r, struct buf *text, uint64_t from);
/*
 * Takes the words "from N" off the end of @arg, of which there are *@nr, if they are there. 0;
 * -EINVAL: no number.
 */
int text_from_words(const char **arg, unsigned int *nr, uint64_t *from);

#endif
