/* SPDX-License-Identifier: MIT */
/*
 * main.c - the entry point of the xm binary, which also answers as xl.
 */
#include <signal.h>

#include "xm.h"

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN); /* xm list | head: a failed write, not a killed program */
	return xm_main(argc, argv, stdin, stdout, stderr);
}
