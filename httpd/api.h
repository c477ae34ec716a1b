/* SPDX-License-Identifier: MIT */
/* api.h - what the routes of the store do: each answers the request once. */
#ifndef STOREVISOR_HTTPD_API_H
#define STOREVISOR_HTTPD_API_H

#define NODES_MAX 65536u /* of a body: nobody waits long for it */

struct conn;

void api_tree(struct conn *c, const char *rest);
void api_txn(struct conn *c, const char *rest);
void api_history(struct conn *c, const char *rest);
void api_diff(struct conn *c, const char *rest);
void api_rollback(struct conn *c, const char *rest);
void api_watches(struct conn *c, const char *rest);
void api_metrics(struct conn *c, const char *rest);

#endif
