/* SPDX-License-Identifier: MIT */
#include "image.h"

GUEST_TEST(image_unikraft,
	   "an image in Unikraft's shape starts: Xen's notes among others', addresses "
	   "said, the p2m in the mapping",
	   ALSO_DOM0)
{
	image_check(true);
}
