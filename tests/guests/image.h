/* SPDX-License-Identifier: MIT */
/*
 * image.h - what a loader must have done for an image that leaves out what the ABI lets it: the
 * same for all of tests/guests/image_*.c, each of which is linked and described as another
 * system's.
 */
#ifndef TESTS_GUESTS_IMAGE_H
#define TESTS_GUESTS_IMAGE_H

#include "claim.h"

/*
 * No p2m address was asked for, no module by frame number: both lie in the first mapping, the p2m
 * behind the module. @wants_page: the image named hypercall_page; else it is as it was linked.
 */
void image_check(bool wants_page);

#endif
