/* SPDX-License-Identifier: MIT */
/*
 * fake_xend_main.c - the stand-in for xend as a process, over whatever store XENSTORED_PATH names.
 * Ends when its standard input does.
 */
#include <stdio.h>

#include "fake_xend.h"

int main(void)
{
	fake_xend_run(fileno(stdin));
	return 0;
}
