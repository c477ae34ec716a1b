#!/bin/sh
# SPDX-License-Identifier: MIT
# cost.sh PROGRAM - instructions the daemon spends on one request, counted by valgrind: the same on
# every machine and under any load, so a request that became dearer is noticed. 77: no valgrind.
# Counted is what conn_input() and all it calls does: reading the socket, the request, its changes and the
# reply's bytes. "turn" is that and the commit. "create" is a directory of fourteen in a
# transaction, "device" the same, which is a guest's. Not the loop, the kernel, or the worker.
set -u
program=$1
command -v valgrind >/dev/null || exit 77
# filling what is allocated would count
unset MALLOC_PERTURB_

# counted KIND N FUNCTION: instructions inside it altogether
counted()
{
	valgrind --tool=callgrind --toggle-collect="$3" --callgrind-out-file=/dev/null \
		"$program" "$1" "$2" 2>&1 | sed -n 's/^==[0-9]*== Collected : *//p'
}

failed=0
# kind, and what one may take: a fifth above what it took when this was written
while read -r kind what most; do
	few=$(counted "$kind" 200 "$what") many=$(counted "$kind" 700 "$what")
	each=$(((${many:-0} - ${few:-0}) / 500))
	echo "$kind ($what): $each instructions, at most $most"
	[ "$each" -gt 0 ] && [ "$each" -le "$most" ] || failed=1
done <<LIMITS
read conn_input 2600
write conn_input 7800
event conn_input 9100
transaction conn_input 19100
read turn 2900
write turn 14800
transaction turn 26900
create turn 245000
device turn 277000
LIMITS
exit $failed
