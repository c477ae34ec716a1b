/* SPDX-License-Identifier: MIT */
/*
 * viewer.c - a viewer of a screen, by RFB 3.8 without a password, for dom0.
 *
 * viewer PORT X Y RRGGBB [TEXT]: types TEXT (a ^ is the return key), then looks until that pixel
 * has that colour. Says the size and the name. Status 0 when it was seen. Source: RFC 6143.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd;
static uint32_t *picture;
static unsigned int width, height;

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "viewer: %s\n", what);
	exit(1);
}

static void get(void *to, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = read(fd, (char *)to + got, len - got);

		need(n > 0, "the server left");
		got += (size_t)n;
	}
}

static void put(const void *from, size_t len)
{
	need(write(fd, from, len) == (ssize_t)len, "the server takes nothing");
}

static unsigned int get16(void)
{
	uint16_t n;

	get(&n, sizeof(n));
	return ntohs(n);
}

static unsigned int get32(void)
{
	uint32_t n;

	get(&n, sizeof(n));
	return ntohl(n);
}

static void shake_hands(void)
{
	static const uint8_t format[20] = { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255,
					    16, 8, 0, 0, 0, 0 };
	static const uint8_t encodings[8] = { 2, 0, 0, 1, 0, 0, 0, 0 };
	char text[256], types[256];
	uint8_t nr;
	uint32_t len;

	get(text, 12);
	need(!memcmp(text, "RFB 003.008\n", 12), "that is not RFB");
	put(text, 12);
	get(&nr, 1);
	need(nr > 0, "it refuses");
	get(types, nr);
	need(memchr(types, 1, nr) != NULL, "it wants a password");
	put("\1", 1);
	need(get32() == 0, "it refuses the viewer");
	put("\1", 1);
	width = get16();
	height = get16();
	get(text, 16);
	len = get32();
	need(len < sizeof(text), "a name too long");
	get(text, len);
	text[len] = '\0';
	printf("%ux%u %s\n", width, height, text);
	fflush(stdout);
	put(format, sizeof(format));
	put(encodings, sizeof(encodings));
	picture = calloc(width * height, 4);
	need(picture != NULL, "no memory");
}

static void key(uint32_t keysym)
{
	uint8_t m[8] = { 4, 1 };
	const uint32_t n = htonl(keysym);

	memcpy(m + 4, &n, 4);
	put(m, sizeof(m));
	m[1] = 0;
	put(m, sizeof(m));
}

static void ask(void)
{
	uint8_t m[10] = { 3, 0, 0, 0, 0, 0 };
	const uint16_t w = htons((uint16_t)width), h = htons((uint16_t)height);

	memcpy(m + 6, &w, 2);
	memcpy(m + 8, &h, 2);
	put(m, sizeof(m));
}

static void take_rectangle(void)
{
	unsigned int x = get16(), y = get16(), w = get16(), h = get16();

	need(get32() == 0, "not the encoding that was asked for");
	need(x + w <= width && y + h <= height, "outside of the picture");
	for (unsigned int row = y; row < y + h; row++)
		get(picture + row * width + x, w * 4);
}

static void take_answer(void)
{
	uint8_t type, pad[3];
	unsigned int nr;

	get(&type, 1);
	if (type == 2)
		return;
	if (type == 3) {
		get(pad, 3);
		for (nr = get32(); nr > 0; nr--)
			get(pad, 1);
		return;
	}
	need(type == 0, "an answer of no known kind");
	get(pad, 1);
	for (nr = get16(); nr > 0; nr--)
		take_rectangle();
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	unsigned int x, y;
	uint32_t colour;

	need(argc >= 5, "viewer PORT X Y RRGGBB [TEXT]");
	to.sin_port = htons((uint16_t)atoi(argv[1]));
	x = (unsigned int)atoi(argv[2]);
	y = (unsigned int)atoi(argv[3]);
	colour = (uint32_t)strtoul(argv[4], NULL, 16);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	need(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "nobody listens");
	shake_hands();
	need(x < width && y < height, "no such pixel");
	for (const char *c = argc > 5 ? argv[5] : ""; *c; c++)
		key(*c == '^' ? 0xff0d : (uint32_t)*c);
	do {
		ask();
		take_answer();
	} while ((picture[y * width + x] & 0xffffff) != colour);
	return 0;
}
