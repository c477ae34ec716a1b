/* SPDX-License-Identifier: MIT */
/*
 * main.c - the store benchmark's client: runs named cases against one daemon and prints a line
 * NAME CASE METRIC VALUE for each figure. tests/bench/store/run starts the daemons and compares.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const struct bench_case *const all[] = { basic_cases, txn_cases, scale_cases, life_cases };

static const struct option options[] = {
	{ "socket", required_argument, NULL, 's' },  { "pid", required_argument, NULL, 'p' },
	{ "name", required_argument, NULL, 'n' },    { "restart", required_argument, NULL, 'r' },
	{ "run-dir", required_argument, NULL, 'd' }, { "quick", no_argument, NULL, 'q' },
	{ "echo", required_argument, NULL, 'e' },    { 0 },
};

static void run_case(struct bench *b, const char *name)
{
	for (size_t t = 0; t < sizeof(all) / sizeof(all[0]); t++)
		for (const struct bench_case *c = all[t]; c->name; c++)
			if (strcmp(c->name, name) == 0) {
				c->run(b);
				return;
			}
	die("there is no case %s", name);
}

static void list_cases(void)
{
	for (size_t t = 0; t < sizeof(all) / sizeof(all[0]); t++)
		for (const struct bench_case *c = all[t]; c->name; c++)
			printf("%s\n", c->name);
}

int main(int argc, char **argv)
{
	struct bench b = { .name = "store" };
	int c;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			b.socket = optarg;
			break;
		case 'p':
			b.pid = atoi(optarg);
			break;
		case 'n':
			b.name = optarg;
			break;
		case 'r':
			b.restart = optarg;
			break;
		case 'd':
			b.run_dir = optarg;
			break;
		case 'q':
			b.quick = true;
			break;
		case 'e':
			echo_server(optarg);
		default:
			return 2;
		}
	}
	if (!b.socket) {
		list_cases();
		return 2;
	}
	for (int i = optind; i < argc; i++)
		run_case(&b, argv[i]);
	return 0;
}
