/* SPDX-License-Identifier: MIT */
/*
 * host.h - /host: the machine, as xm info prints it.
 */
#ifndef XEND_HOST_H
#define XEND_HOST_H

#include <stdbool.h>

struct xend;
struct hv_host;

#define HOST_FEATURES_MAX 80

/* Writes every fact. 0 or -errno of the hypervisor or the store. */
int host_write(struct xend *x);
/* The CPU's feature words as /host/hw_caps has them. */
void host_features(const struct hv_host *h, char out[HOST_FEATURES_MAX]);
/* What changes by itself: free memory. */
void host_refresh(struct xend *x);
/* 1: no xend of this boot of the host has said host_booted() yet; 0: one has; -errno: not known. */
int host_first_start(struct xend *x);
/*
 * The records are as this boot wants them. 0 or -errno: the next xend would do it again, to what
 * runs.
 */
int host_booted(struct xend *x);

/* Whether the host is going down: nothing is started any more (/host/stopping). */
bool host_stopping(struct xend *x);

#endif
