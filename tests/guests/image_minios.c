/* SPDX-License-Identifier: MIT */
#include "image.h"

GUEST_TEST(image_minios,
	   "an image in Mini-OS's shape starts: few notes, the entry from the ELF "
	   "header, no hypercall page",
	   ALSO_DOM0)
{
	image_check(false);
}
