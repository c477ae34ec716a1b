/* SPDX-License-Identifier: MIT */
/*
 * iscsi_options.c - see iscsi_options.h. Source: qemu-block-drivers(7), blockdev options of iscsi.
 */
#include "iscsi_options.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "iscsi_name.h"

#define ANSWER_MS 5000

static const char *config_dir(void)
{
	const char *dir = getenv("STOREVISOR_ISCSI_DIR");

	return dir ? dir : "/etc/iscsi";
}

/* A file of open-iscsi's; NULL: it is not there. No buffer keeps what was read. */
static FILE *config(const char *name)
{
	char path[512];
	FILE *f = NULL;

	if (snprintf(path, sizeof(path), "%s/%s", config_dir(), name) < (int)sizeof(path))
		f = fopen(path, "re");
	if (f)
		setvbuf(f, NULL, _IONBF, 0);
	return f;
}

/* Targets know hosts by it; "": the library has one of its own. */
static void read_own_name(char own[ISCSI_TARGET_MAX + 1])
{
	static const char in_name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:";
	FILE *f = config("initiatorname.iscsi");
	char line[512];

	own[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		const char *name = line + 14;
		size_t len;

		if (strncmp(line, "InitiatorName=", 14))
			continue;
		len = strspn(name, in_name);
		if ((!name[len] || name[len] == '\n') && len <= ISCSI_TARGET_MAX)
			snprintf(own, ISCSI_TARGET_MAX + 1, "%.*s", (int)len, name);
	}
	if (f)
		fclose(f);
}

/* What @line, "KEY = VALUE", gives @key, to @out. False: something else, or longer. */
static bool take_setting(char *line, const char *key, char *out, size_t len)
{
	size_t n = strlen(key);

	line += strspn(line, " \t");
	if (strncmp(line, key, n))
		return false;
	line += n + strspn(line + n, " \t");
	if (*line != '=')
		return false;
	line += 1 + strspn(line + 1, " \t");
	for (n = strcspn(line, "\n"); n && (line[n - 1] == ' ' || line[n - 1] == '\t'); n--)
		;
	if (!n || n >= len)
		return false;
	memcpy(out, line, n);
	out[n] = '\0';
	return true;
}

/* 0, also where there is none; -EACCES: others may read it. */
static int read_login(struct iscsi_login *login)
{
	static const char in_name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:@";
	FILE *f = config("iscsid.conf");
	char line[512];
	struct stat st;

	*login = (struct iscsi_login){ "", "" };
	while (f && fgets(line, sizeof(line), f)) {
		take_setting(line, "node.session.auth.username", login->user, sizeof(login->user));
		take_setting(line, "node.session.auth.password", login->password, sizeof(login->password));
	}
	explicit_bzero(line, sizeof(line));
	if (f && fstat(fileno(f), &st))
		st.st_mode = 0777;
	if (f)
		fclose(f);
	if (!login->user[0] || !login->password[0]) {
		*login = (struct iscsi_login){ "", "" };
		return 0;
	}
	if (login->user[strspn(login->user, in_name)])
		return -EINVAL;
	return st.st_mode & 077 ? -EACCES : 0;
}

/* Whether somebody listens there; else errno. */
static bool answers(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(err);

	if (fd < 0)
		return false;
	if (connect(fd, at->ai_addr, at->ai_addrlen) < 0)
		err = errno;
	if (err == EINPROGRESS && poll(&p, 1, ANSWER_MS) == 1)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	else if (err == EINPROGRESS)
		err = ETIMEDOUT;
	close(fd);
	errno = err;
	return err == 0;
}

/* The first of @name's addresses at which somebody listens. 0, or a line in @why. */
static int find_address(const struct iscsi_name *name, char address[NI_MAXHOST], char *why, size_t len)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL, *at;
	int rc = getaddrinfo(name->host, name->port, &hints, &found);

	if (rc) {
		snprintf(why, len, "%s: %s", name->host, gai_strerror(rc));
		return -EHOSTUNREACH;
	}
	for (at = found; at && !answers(at); at = at->ai_next)
		;
	if (!at)
		snprintf(why, len, "its target: %s", strerror(errno));
	rc = !at || getnameinfo(at->ai_addr, at->ai_addrlen, address, NI_MAXHOST, NULL, 0,
				NI_NUMERICHOST);
	freeaddrinfo(found);
	return rc ? -EHOSTUNREACH : 0;
}

int iscsi_options(const char *text, char out[ISCSI_OPTIONS_MAX], struct iscsi_login *login, char *why,
		  size_t len)
{
	char address[NI_MAXHOST] = "", own[ISCSI_TARGET_MAX + 1];
	struct iscsi_name name;
	const char *wrong = iscsi_name_parse(text, &name);
	bool v6;
	int rc;

	if (wrong) {
		snprintf(why, len, "%s", wrong);
		return -EINVAL;
	}
	rc = find_address(&name, address, why, len);
	if (rc < 0)
		return rc;
	rc = read_login(login);
	if (rc < 0) {
		snprintf(why, len, rc == -EACCES ? "others than root may read the password in %s/iscsid.conf" :
			 "the user in %s/iscsid.conf has other characters than letters, digits and -._:@", config_dir());
		return -EINVAL;
	}
	read_own_name(own);
	v6 = strchr(address, ':');
	snprintf(out, ISCSI_OPTIONS_MAX,
		 "driver=raw,file.driver=iscsi,file.transport=tcp,file.portal=%s%.64s%s:%s,"
		 "file.target=%s,file.lun=%u%s%s%s%s",
		 v6 ? "[" : "", address, v6 ? "]" : "", name.port, name.target, name.lun,
		 own[0] ? ",file.initiator-name=" : "", own,
		 login->user[0] ? ",file.password-secret=" ISCSI_SECRET ",file.user=" : "", login->user);
	return 0;
}
