/* SPDX-License-Identifier: MIT */
/*
 * load.h - the parts of the program that loads a device and reads the clock (load.c).
 *
 * Each command prints one line, "FIGURE": nanoseconds a unit, which under -icount on one CPU are
 * instructions of the whole machine, and idling.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * No-operations that tests/bench/profile/count.c knows by their displacement: it counts what is
 * executed from the first to the second.
 */
#define MARK_BEGIN() __asm__ volatile("nopl 0x4252414d(%%rax, %%rax)" ::: "memory") /* "MARB" */
#define MARK_END() __asm__ volatile("nopl 0x4552414d(%%rax, %%rax)" ::: "memory")   /* "MARE" */

/* CLOCK_MONOTONIC. */
uint64_t now_ns(void);
/* perror and the end. */
void fail(const char *what) __attribute__((noreturn));

/* Commands: argv[0] is the command's name. Each returns the process's status. */
int load_disk(int argc, char **argv);
int load_buffered(int argc, char **argv);
int load_sink(int argc, char **argv);
int load_source(int argc, char **argv);
int load_flood(int argc, char **argv);
int load_count(int argc, char **argv);
int load_echo(int argc, char **argv);
int load_ping(int argc, char **argv);
int load_serve(int argc, char **argv);
int load_ask(int argc, char **argv);

/* As a guest's first process: modules, address, then load_serve(). */
void load_as_init(void) __attribute__((noreturn));

#endif
