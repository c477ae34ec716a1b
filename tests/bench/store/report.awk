# SPDX-License-Identifier: MIT
# report.awk - medians of the store benchmark's lines (NAME CASE METRIC VALUE), side by side, then
# each target with the figure it is held to.
{ k = $1 SUBSEP $2 SUBSEP $3; v[k, ++n[k]] = $4; if (!(($2, $3) in known)) { known[$2, $3] = 1; order[++rows] = $2 SUBSEP $3 } }

function middle(a, cnt,   i, j, t) {
	if (!cnt) return -1
	for (i = 2; i <= cnt; i++) { t = a[i]; for (j = i - 1; j >= 1 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
	return cnt % 2 ? a[(cnt + 1) / 2] : (a[cnt / 2] + a[cnt / 2 + 1]) / 2
}
function median(name, c, m,   k, i, a) {
	k = name SUBSEP c SUBSEP m
	for (i = 1; i <= n[k]; i++) a[i] = v[k, i]
	return middle(a, n[k])
}
function best(c, m,   x, y) { x = median("c", c, m); y = median("ox", c, m); return x > y ? x : y }
function least(c, m,   x, y) { x = median("c", c, m); y = median("ox", c, m); return x < 0 ? y : y < 0 || x < y ? x : y }
function show(x) { return x < 0 ? "-" : x >= 1000 ? sprintf("%d", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x) }
# What became of a target: "met", "MISSED", or "floor": the echo server does not reach it either, and
# ours is within a tenth of the echo server in the same round.
function target(text, verdict, have) {
	printf "  %-7s %-66s %s\n", verdict, text, have
	count[verdict]++
}
function judge(text, ok, have, known) { target(text, known ? ok ? "met" : "MISSED" : "unknown", known ? have : "(not measured)") }
# Median over the rounds of our figure by the echo server's of the same round; -1: none.
function of_floor(c, m,   i, r, cnt) {
	for (i = 1; i <= n["echo" SUBSEP c SUBSEP m]; i++)
		if (v["echo" SUBSEP c SUBSEP m, i] > 0 && (("ours" SUBSEP c SUBSEP m, i) in v))
			r[++cnt] = v["ours" SUBSEP c SUBSEP m, i] / v["echo" SUBSEP c SUBSEP m, i]
	return middle(r, cnt)
}
# The same of @name's figure by the better Debian daemon's.
function ratio(name, c, m,   i, x, y, r, cnt) {
	for (i = 1; i <= n[name SUBSEP c SUBSEP m]; i++) {
		x = v["c" SUBSEP c SUBSEP m, i]; y = v["ox" SUBSEP c SUBSEP m, i]
		if (y > x) x = y
		if (x > 0) r[++cnt] = v[name SUBSEP c SUBSEP m, i] / x
	}
	return middle(r, cnt)
}
function times(text, c, m, want,   a, f, o, have) {
	a = ratio("ours", c, m); f = ratio("echo", c, m); o = of_floor(c, m)
	if (a < 0) { target(text, "unknown", "(not measured)"); return }
	have = sprintf("%.2f times (%s against %s)", a, show(median("ours", c, m)), show(best(c, m)))
	if (f > 0) have = have sprintf("; echo server %.2f, ours %.2f of it", f, o)
	target(text, a >= want ? "met" : f > 0 && f < want && o >= 0.9 ? "floor" : "MISSED", have)
}
# Ours by an older one of ours, as medians of the rounds: what both have of the floor, by each other.
function kept(text, c, m, want,   i, r, cnt, a) {
	for (i = 1; i <= n["before" SUBSEP c SUBSEP m]; i++)
		if (v["before" SUBSEP c SUBSEP m, i] > 0 && (("ours" SUBSEP c SUBSEP m, i) in v))
			r[++cnt] = v["ours" SUBSEP c SUBSEP m, i] / v["before" SUBSEP c SUBSEP m, i]
	a = middle(r, cnt)
	judge(text ": " want " of the older one's", a >= want, sprintf("%.2f (%s, %s)", a, show(median("ours", c, m)), show(median("before", c, m))), a > 0)
}
function at_least(text, c, m, want,   a) { a = median("ours", c, m); judge(text, a >= want, show(a), a >= 0) }
function at_most(text, c, m, want,   a) { a = median("ours", c, m); judge(text, a <= want, show(a), a >= 0) }
function floor_of(text, c, want,   a, b) { a = median("ours", c, "ops/s"); b = median("echo", c, "ops/s"); judge(text, a >= want * b, sprintf("%.2f of the floor (%s of %s)", a / (b > 0 ? b : 1), show(a), show(b)), a > 0 && b > 0) }
function spread(text, c,   a, b) { a = median("ours", c, "p99us"); b = median("ours", c, "p50us"); judge(text, a <= 3 * b, sprintf("%.1f times (%s us, p50 %s us)", a / (b > 0 ? b : 1), show(a), show(b)), a > 0) }

END {
	for (i = 1; i <= rows; i++) { split(order[i], p, SUBSEP); older = older || median("before", p[1], p[2]) >= 0 }
	printf "%-22s %-13s %12s %12s %12s %12s%s\n", "case", "metric", "echo floor", "C", "oxenstored", "ours", older ? "    ours, old" : ""
	for (i = 1; i <= rows; i++) {
		split(order[i], p, SUBSEP)
		printf "%-22s %-13s %12s %12s %12s %12s%s\n", p[1], p[2], show(median("echo", p[1], p[2])), show(median("c", p[1], p[2])), show(median("ox", p[1], p[2])), show(median("ours", p[1], p[2])), older ? sprintf(" %12s", show(median("before", p[1], p[2]))) : ""
	}
	print "\nTargets:"
	floor_of("ping-pong read, one core: 0.75 of the echo floor", "ping-read", 0.75)
	floor_of("ping-pong write, one core: 0.75 of the echo floor", "ping-write", 0.75)
	times("ping-pong read: 1.5 times the better daemon", "ping-read", "ops/s", 1.5)
	times("ping-pong write: 1.5 times the better daemon", "ping-write", "ops/s", 1.5)
	times("32 in flight, one client, reads: 5 times", "pipe32-read-1", "ops/s", 5)
	times("32 in flight, one client, writes: 5 times", "pipe32-write-1", "ops/s", 5)
	times("32 in flight, eight clients, reads: 5 times", "pipe32-read-8", "ops/s", 5)
	times("64 clients: 2 times", "clients64-read", "ops/s", 2)
	times("256 clients: 2 times", "clients256-read", "ops/s", 2)
	spread("64 clients: p99 at most 3 times p50", "clients64-read")
	spread("256 clients: p99 at most 3 times p50", "clients256-read")
	times("transaction of 1 read and 1 write: 2 times", "txn-1r1w", "ops/s", 2)
	times("transaction of 10 writes: 2 times", "txn-10w", "ops/s", 2)
	times("transaction 1+1, large store: 2 times", "bigtxn-1r1w", "ops/s", 2)
	times("transaction of 10 writes, large store: 2 times", "bigtxn-10w", "ops/s", 2)
	at_least("conflicting transactions, 64 clients: 20,000 commits a second", "conflict-64", "ops/s", 20000)
	at_least("conflicting transactions: slowest client at least half of the mean", "conflict-64", "slowest/mean", 0.5)
	split("read-x write-x event-x", axes, " ")
	split("flat-connections flat-watches flat-domains flat-nodes", crowds, " ")
	for (i = 1; i <= 4; i++) for (j = 1; j <= 3; j++) at_most(crowds[i] " " axes[j] ": at most 1.5 times alone", crowds[i], axes[j], 1.5)
	at_most("RELEASE beside a large store: under 1000 us", "release", "p50us", 1000)
	times("fan-out to 1,000 watchers: 4 times", "fan-out-1000", "ops/s", 4)
	a = median("ours", "write-to-event", "p50us"); b = least("write-to-event", "p50us")
	judge("write to event: not above the better daemon", a <= b, sprintf("%s us against %s us", show(a), show(b)), a > 0 && b > 0)
	times("domain-create trace, plain client: 3 times", "domain-create", "ops/s", 3)
	a = median("ours", "domain-create-piped", "ops/s"); b = best("domain-create", "ops/s")
	judge("domain-create trace, libxs pipelining: 10 times", a >= 10 * b, sprintf("%.1f times (%s against %s)", a / (b > 0 ? b : 1), show(a), show(b)), a > 0 && b > 0)
	at_most("memory of 1,000 domains, tmpfs included: at most 32 MB", "memory-1000-domains", "MB", 32)
	at_most("kill -9 and restart, 100 clients: longest stall 100 ms", "restart", "stall-ms", 100)
	at_most("live update, 100 clients: longest stall 100 ms", "live-update", "stall-ms", 100)
	a = median("ours", "durable", "sixtyfour/s"); b = median("ours", "durable", "one/s")
	judge("durable writes: 64 writers 20 times one", a >= 20 * b, sprintf("%.1f times (%s against %s)", a / (b > 0 ? b : 1), show(a), show(b)), a > 0 && b > 0)
	a = median("ours", "durable", "busy-p99us"); b = median("ours", "durable", "idle-p99us")
	judge("runtime p99 beside 64 durable writers: at most 3 times idle", a <= 3 * b, sprintf("%.1f times (%s us, idle %s us)", a / (b > 0 ? b : 1), show(a), show(b)), a > 0 && b > 0)
	if (older) {
		kept("one read at a time", "ping-read", "ops/s", 0.9)
		kept("32 reads in flight, one client", "pipe32-read-1", "ops/s", 0.9)
		kept("32 writes in flight, one client", "pipe32-write-1", "ops/s", 0.9)
		kept("32 reads in flight, eight clients", "pipe32-read-8", "ops/s", 0.9)
		kept("reads of 64 clients", "clients64-read", "ops/s", 0.9)
		kept("reads of 256 clients", "clients256-read", "ops/s", 0.9)
		kept("one write at a time", "ping-write", "ops/s", 0.8)
		split("txn-1r1w txn-10w bigtxn-1r1w bigtxn-10w", axes, " ")
		for (i = 1; i <= 4; i++) kept("transactions, " axes[i], axes[i], "ops/s", 0.8)
		kept("one durable writer", "durable", "one/s", 1)
		kept("64 durable writers", "durable", "sixtyfour/s", 1)
	}
	printf "\n%d targets met, %d at the floor of the machine, %d missed, %d not measured\n", count["met"], count["floor"], count["MISSED"], count["unknown"]
}
