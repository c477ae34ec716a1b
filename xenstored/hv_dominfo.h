/* SPDX-License-Identifier: MIT */
/* hv_dominfo.h - what the informer asks the real hypervisor: domctl getdomaininfo. */
#ifndef XENSTORED_HV_DOMINFO_H
#define XENSTORED_HV_DOMINFO_H

struct informer_source;

extern const struct informer_source hv_dominfo;

#endif
