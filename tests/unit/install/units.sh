#!/bin/sh
# SPDX-License-Identifier: MIT
# units.sh UNIT... - how systemd's units of ours hang together. An upgrade restarts a daemon: systemd hands a stop on
# to what requires it, and the stop of xend-domains shuts every domain down. TAP output.
n=0
claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@" >"$out" 2>&1; then echo "ok $n - $text"; else
		echo "not ok $n - $text"
		sed 's/^/# /' "$out"
	fi
}
out=$(mktemp)
trap 'rm -f "$out"' EXIT
STOPS='Requires|Requisite|BindsTo|PartOf|StopPropagatedFrom|PropagatesStopTo'
# file NAME: the one of that name.
file()
{
	for at; do [ "${at##*/}" != "$unit" ] || echo "$at"; done
}
# words KEY FILE: all that it says there, one a line.
words() { sed -nE "s/^($1)=//p" "$2" | tr ' ' '\n'; }
# nobody_stops FILE UNIT...: none of the daemons among UNITs stops it by stopping.
nobody_stops()
{
	told=$(words "$STOPS" "$1")
	shift
	for at; do
		case ${at##*/} in
		*.service) ! echo "$told" | grep -qxF "${at##*/}" || { echo "it says ${at##*/}" && return 1; } ;;
		esac
	done
}
# after FILE UNIT: at the host's end it is stopped before UNIT.
after() { words After "$1" | grep -qxF "$2" && words 'Wants|Requires' "$1" | grep -qxF "$2"; }

# endless FILE: it is not given up by systemd, which does so after five starts within ten seconds.
endless()
{
	! words Restart "$1" | grep -q . || words StartLimitIntervalSec "$1" | grep -qx 0 ||
		[ "$(words RestartSec "$1" | grep -xE '[0-9]+s?' | tr -d s)" -gt 2 ]
}

for unit; do
	claim "${unit##*/} is not stopped by the stop of another daemon" nobody_stops "$unit" "$@"
	claim "${unit##*/} is started again as long as it fails" endless "$unit"
done
for pair in backendd:xenstored xend:xenstored xend:backendd xend-domains:xend; do
	unit=${pair%:*}.service
	claim "$unit goes with ${pair#*:}, and is stopped before it" after "$(file "$@")" "${pair#*:}.service"
done
unit=storevisor-network.service
bridges=$(file "$@")
claim "bridges are there before domains" grep -qx 'Before=xend.service' "$bridges"
claim "and they need the store" after "$bridges" xenstored.service
unit=xend-domains.service
domains=$(file "$@")
claim "the stop of xend-domains ends all domains" grep -qx 'ExecStop=.*/xm shutdown --host --all --wait' "$domains"
claim "and its start takes back that the host goes down" grep -qx 'ExecStart=/usr/bin/xs rm -f /host/stopping' "$domains"
echo "1..$n"
