#!/bin/sh
# SPDX-License-Identifier: MIT
# ui.sh - xs ui on a terminal of its own: keys in, screen out, store afterwards.
. "$(dirname "$0")/lib.sh"
if ! command -v script >/dev/null; then
	echo "1..0 # SKIP script(1) is not installed"
	exit 0
fi
start_store
unset LD_LIBRARY_PATH
xs() { "$xs_prog" "$@"; }
xs write /local/domain/3/name web /local/domain/3/device/vbd/51712/state 4 \
	/local/domain/3/device/vbd/51712/backend /config /t/a one

# ui OPTIONS KEYS...: types each argument after a pause; what was drawn goes to $screen
ui() {
	options=$1; shift
	( sleep 1; for k in "$@"; do printf "$k"; sleep 0.4; done ) |
		TERM=xterm timeout 20 script -qec \
			"stty rows 24 cols 80; '$xs_prog' ui $options" /dev/null >"$dir/screen" 2>&1
	rc=$?
}
shows() { grep -a -c -- "$1" "$dir/screen"; }

ui "" q
is "ui draws the top of the store and q ends it" "0 1" "$rc $(shows 'config')"
ui "" ':/local/domain/3/device/vbd/51712/state\n' q
is "a path opens what is on the way; states and disks get their names" "1 1" \
	"$(shows Connected) $(shows xvda)"
ui "" ':/t/a\n' e q
is "without -w nothing can be changed" "1 one" "$(shows 'looking only') $(xs read /t/a)"
ui -w ':/t/a\n' e 'two\n' q
is "with -w a value is changed, and the command for it shown" "two 1" \
	"$(xs read /t/a) $(shows "xs write /t/a 'two'")"
ui -w ':/t/a\n' d 'wrong\n' q
is "removing needs the node's name" 0 "$(xs exists /t/a; echo $?)"
ui -w ':/t/a\n' d 'a\n' q
is "and then removes it" 1 "$(xs exists /t/a; echo $?)"
ui -w ':/t\n' a 'new\n' 'val\n' q
is "a adds a child" val "$(xs read /t/new)"
ui "" /web '\n' q
is "a search that finds nothing says so" 1 "$(shows 'not among the open nodes')"
( sleep 1.6; xs write /t/live appears ) &
ui "/t" x x x q
is "what changes appears by itself" 1 "$(shows appears)"
run xs ui </dev/null
is "without a terminal: status 2, and what to do instead" "2 1" "$rc $(echo "$err" | grep -c 'xs tree')"
plan
