#!/bin/sh
# SPDX-License-Identifier: MIT
# cost.sh PROGRAM - instructions the daemon spends on one request, counted by valgrind: the same on
# every machine and under any load, so a request that became dearer is noticed. 77: no valgrind.
# Counted is what conn_input() and all it calls does: reading the socket, the request, its changes and the
# reply's bytes. Not the loop, the commit at the end of a turn, the kernel, or the worker.
set -u
program=$1
command -v valgrind >/dev/null || exit 77
# filling what is allocated would count
unset MALLOC_PERTURB_

# counted KIND N: instructions inside conn_input() altogether
counted()
{
	valgrind --tool=callgrind --toggle-collect=conn_input --callgrind-out-file=/dev/null \
		"$program" "$1" "$2" 2>&1 | sed -n 's/^==[0-9]*== Collected : *//p'
}

failed=0
# kind, and what one may take: a fifth above what it took when this was written
while read -r kind most; do
	few=$(counted "$kind" 200) many=$(counted "$kind" 700)
	each=$(((${many:-0} - ${few:-0}) / 500))
	echo "$kind: $each instructions, at most $most"
	[ "$each" -gt 0 ] && [ "$each" -le "$most" ] || failed=1
done <<LIMITS
read 2600
write 7800
event 9100
transaction 19100
LIMITS
exit $failed
