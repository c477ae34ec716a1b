/* SPDX-License-Identifier: MIT */
/* worker_side.c - see worker_side.h. */
#include "worker_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct side side;

void worker_up(void)
{
	side.cfg = (struct worker_config){
		.disk = { .state_dir = side.k.state, .run_dir = side.k.run, .told = side.k.told,
			  .map_size = side.k.map_size ? side.k.map_size : 64u << 20 },
		.live_dir = side.live,
	};
	side.pid = worker_start(&side.cfg, &side.fd);
	assert_true(side.pid > 0);
}

void side_init(void)
{
	MDB_txn *txn;

	memset(&side, 0, sizeof(side));
	kit_init(&side.k);
	snprintf(side.live, sizeof(side.live), "%s/live", side.k.run);
	assert_int_equal(mkdir(side.live, 0700), 0);
	assert_int_equal(mdb_env_create(&side.env), 0);
	mdb_env_set_maxdbs(side.env, 4);
	mdb_env_set_mapsize(side.env, 64u << 20);
	assert_int_equal(mdb_env_open(side.env, side.live, MDB_NOSYNC | MDB_NOTLS, 0600), 0);
	assert_int_equal(mdb_txn_begin(side.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "queue", MDB_CREATE, &side.queue), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	worker_up();
}

enum worker_op side_next(void)
{
	ssize_t n = recv(side.fd, &side.got, sizeof(side.got), 0);

	if (n < (ssize_t)sizeof(side.got.msg))
		fail_msg("the worker has ended");
	side.got_len = (size_t)n - sizeof(side.got.msg);
	return (enum worker_op)side.got.msg.op;
}

void side_expect(enum worker_op op)
{
	assert_int_equal(side_next(), op);
}

void side_say(enum worker_op op, uint32_t id, const char *text, size_t len)
{
	struct worker_msg msg = { .op = op, .id = id };
	char packet[1000];

	memcpy(packet, &msg, sizeof(msg));
	memcpy(packet + sizeof(msg), text, len);
	assert_int_equal(send(side.fd, packet, sizeof(msg) + len, 0), sizeof(msg) + len);
}

static void queue_put(MDB_txn *txn, uint64_t rev, uint32_t index, const struct change *c)
{
	unsigned char key[CHANGE_KEY], value[4096];
	MDB_val k = { CHANGE_KEY, key }, v = { change_len(c), value };

	change_key(key, rev, index);
	change_write(c, key, value);
	assert_int_equal(mdb_put(txn, side.queue, &k, &v, 0), 0);
}

uint64_t queue_rev(const char *text)
{
	char *words = strdup(text), *rest = words, *word;
	uint64_t prev = side.rev;
	uint32_t index = 0;
	MDB_txn *txn;

	side.rev += 3;
	assert_int_equal(mdb_txn_begin(side.env, NULL, 0, &txn), 0);
	while ((word = strtok_r(rest, " ", &rest))) {
		struct change c;

		kit_change(word, &c);
		c.prev = prev;
		queue_put(txn, side.rev, index++, &c);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	free(words);
	return side.rev;
}

void queue_large(unsigned int nr)
{
	char text[3100];

	for (unsigned int i = 0; i < nr; i++) {
		int len = snprintf(text, sizeof(text), "+/config/n%u=", i);

		memset(text + len, 'v', 3000);
		text[len + 3000] = '\0';
		queue_rev(text);
	}
}

void queue_empty(void)
{
	MDB_txn *txn;

	assert_int_equal(mdb_txn_begin(side.env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_drop(txn, side.queue, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
}

void await_durable(uint64_t rev)
{
	do
		side_expect(WORKER_DURABLE);
	while (side.got.msg.rev < rev);
	assert_int_equal(side.got.msg.rev, rev);
}

void worker_gone(void)
{
	int status;

	close(side.fd);
	assert_int_equal(waitpid(side.pid, &status, 0), side.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void side_fini(void)
{
	worker_gone();
	mdb_env_close(side.env);
	kit_fini(&side.k);
}

void side_assert_disk(const char *nodes)
{
	kit_open(&side.k);
	assert_string_equal(kit_nodes(&side.k), nodes);
	kit_close(&side.k, true);
}

void side_begin(void)
{
	side_expect(WORKER_READY);
	assert_int_equal(side.got.msg.err, 0);
	side_expect(WORKER_DURABLE);
}

void side_begin_large(unsigned int nr)
{
	side_init();
	side_begin();
	queue_rev("+/config=");
	queue_large(nr);
	side_say(WORKER_QUEUED, 0, "", 0);
	await_durable(side.rev);
}
