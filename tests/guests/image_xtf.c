/* SPDX-License-Identifier: MIT */
#include "image.h"

GUEST_TEST(image_xtf,
	   "an image in XTF's shape starts: notes in a section only, no VIRT_BASE, "
	   "linked where it is loaded",
	   ALSO_DOM0)
{
	image_check(true);
}
