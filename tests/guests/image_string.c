/* SPDX-License-Identifier: MIT */
#include "image.h"

GUEST_TEST(image_string,
	   "an image of the time before notes starts: a string in __xen_guest, virtual "
	   "addresses as physical",
	   ALSO_DOM0)
{
	image_check(true);
}
