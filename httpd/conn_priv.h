/* SPDX-License-Identifier: MIT */
/* conn_priv.h - between conn.c, which has the connection's states, and answer.c. */
#ifndef STOREVISOR_HTTPD_CONN_PRIV_H
#define STOREVISOR_HTTPD_CONN_PRIV_H

struct conn;

/* The answer is in the output now. */
void conn_answering(struct conn *c);
/* The head of a stream's answer. */
void conn_stream_head(struct conn *c);

#endif
