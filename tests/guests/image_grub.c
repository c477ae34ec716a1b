/* SPDX-License-Identifier: MIT */
#include "image.h"

GUEST_TEST(image_grub,
	   "an image in GRUB's shape starts: notes in a section only, mapped from 0, "
	   "the module mapped",
	   ALSO_DOM0)
{
	image_check(true);
}
