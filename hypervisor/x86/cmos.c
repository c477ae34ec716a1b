/* SPDX-License-Identifier: MIT */
/* cmos.c - reads the battery clock once at boot. Source: MC146818 data sheet. */
#include "x86/asm.h"
#include "x86/cmos.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define REG_STATUS_A 0x0a
#define REG_STATUS_B 0x0b
#define STATUS_A_UPDATING 0x80
#define STATUS_B_24H 0x02
#define STATUS_B_BINARY 0x04
#define HOUR_PM 0x80

struct cmos_time {
	unsigned int sec, min, hour, day, month, year;
};

static u8 cmos_read(u8 reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

static struct cmos_time read_once(void)
{
	for (unsigned int i = 0; i < 10000 && (cmos_read(REG_STATUS_A) & STATUS_A_UPDATING); i++)
		;
	return (struct cmos_time){ cmos_read(0), cmos_read(2), cmos_read(4),
				   cmos_read(7), cmos_read(8), cmos_read(9) };
}

static unsigned int from_bcd(unsigned int v)
{
	return (v >> 4) * 10 + (v & 15);
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static u64 days_since_1970(unsigned int y, unsigned int m, unsigned int d)
{
	/* Count years from March, so that a leap day is the last day of its year. */
	y -= m <= 2;
	m = m > 2 ? m - 3 : m + 9;
	return 365ULL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + d - 1 - 719468;
}

u64 cmos_read_seconds(void)
{
	struct cmos_time t = read_once(), again = read_once();
	u8 status = cmos_read(REG_STATUS_B);
	bool pm;

	/* An update between the register reads: the second reading, taken right after, is whole. */
	if (t.sec != again.sec)
		t = again;
	pm = t.hour & HOUR_PM;
	t.hour &= ~(unsigned int)HOUR_PM;
	if (!(status & STATUS_B_BINARY)) {
		t.sec = from_bcd(t.sec);
		t.min = from_bcd(t.min);
		t.hour = from_bcd(t.hour);
		t.day = from_bcd(t.day);
		t.month = from_bcd(t.month);
		t.year = from_bcd(t.year);
	}
	if (!(status & STATUS_B_24H))
		t.hour = t.hour % 12 + (pm ? 12 : 0);
	return days_since_1970(2000 + t.year, t.month, t.day) * 86400 + t.hour * 3600 + t.min * 60 +
	       t.sec;
}
