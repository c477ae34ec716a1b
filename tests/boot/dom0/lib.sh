# SPDX-License-Identifier: MIT
# tests/boot/dom0/lib.sh - dom0's half of a boot test: claims as TAP, and words for what tests do
# with guests.

n=0
wrong=
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
DEBIAN=/opt/debian/bin
CONSOLES=/var/log/xen/console

# claim TEXT COMMAND...: holds when COMMAND succeeds; its output is shown when it does not.
claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@" >/tmp/claim.out 2>&1; then
		echo "ok $n - $text"
	else
		wrong=1
		echo "not ok $n - $text"
		{ echo "command: $*"; tail -n 15 /tmp/claim.out; } | sed 's/^/# /'
	fi
}

# same TEXT WANTED GOT
same()
{
	claim "$1 ($2)" test "$2" = "$3" || :
	[ "$2" = "$3" ] || printf '# wanted: %s\n# got:    %s\n' "$2" "$3"
}

# fails_with PATTERN COMMAND...: COMMAND fails, with exactly one line of complaint that matches.
fails_with()
{
	pattern=$1
	shift
	if "$@" >/tmp/fw.out 2>&1; then
		echo "it succeeded"
		cat /tmp/fw.out
		return 1
	fi
	cat /tmp/fw.out
	grep -qE -- "$pattern" /tmp/fw.out || { echo "no line matches: $pattern"; return 1; }
	[ "$(grep -ci error /tmp/fw.out)" -le 1 ] || { echo "more than one error"; return 1; }
}

now() { cut -d . -f 1 /proc/uptime; }

# until_true SECONDS COMMAND...: COMMAND succeeds in time. SECONDS is what it may take where nobody else
# uses the host: while the machine is idle it waits by the host's clock, so it has four times as long.
until_true()
{
	deadline=$(($(now) + 4 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now)" -lt $deadline ] || { echo "not in time: $*"; "$@"; return 1; }
		usleep 200000
	done
}

log_of() { echo "$CONSOLES/guest-$1.log"; }

# said NAME PATTERN [TIMES]: the guest's console log has it at least TIMES times.
said()
{
	[ "$(grep -acE -- "$2" "$(log_of "$1")" 2>/dev/null)" -ge "${3:-1}" ]
}

# hears NAME SECONDS PATTERN [TIMES]
hears()
{
	until_true "$2" said "$1" "$3" "${4:-1}" || { tail -n 12 "$(log_of "$1")"; return 1; }
}

# types NAME TEXT: a line into the guest's console. The writer stays a while: one that leaves at
# once takes its bytes along.
types()
{
	tty=$($DEBIAN/xenstore-read "/local/domain/$(xm domid "$1")/console/tty") || return 1
	(printf '%s\n' "$2"; sleep 10) >"$tty" 2>/dev/null &
}

# keys FORMAT [WORD]: typed into what reads /tmp/keys, if that still does.
keys() { (trap '' PIPE; printf "$@" >&5) 2>/dev/null || :; }

# looks_on SECONDS TEXT COMMAND... -- HEARD...: COMMAND shows a guest's console. TEXT, if there is one, is typed there, now
# and then again: who sets a terminal up may throw away what was typed before. When HEARD, a command, succeeds, the time
# is over, or COMMAND has left, Ctrl-] leaves. What COMMAND said is in /tmp/shown then; its status.
looks_on()
{
	end=$(($(now) + 4 * $1)) typing=$2 command=''
	shift 2
	rm -f /tmp/keys
	mkfifo /tmp/keys
	: >/tmp/shown
	while [ "$1" != -- ]; do
		command="$command '$1'" # no word of these has a quote
		shift
	done
	shift
	eval "$command" </tmp/keys >/tmp/shown 2>&1 &
	looker=$!
	exec 5>/tmp/keys
	until has_left || [ "$(now)" -ge $end ]; do
		[ -z "$typing" ] || keys '%s\n' "$typing"
		! until_true 1 "$@" >/dev/null || break
	done
	keys '\035'
	until_true 15 has_left || kill $looker
	looked=0
	wait $looker || looked=$?
	exec 5>&-
	return $looked
}
has_left() { ! kill -0 $looker 2>/dev/null; }
shown() { grep -qE -- "$1" /tmp/shown; }

# talks NAME TEXT PATTERN: TEXT is typed through xm console until what is said there has the PATTERN, and is shown.
talks()
{
	looks_on 60 "$2" xm console "$1" -- shown "$3"
	cat /tmp/shown
}

# daemon NAME: the pid of a service, which may have helpers of its name.
daemon() { cat "/run/storevisor/$1.pid"; }

running() { xm list "$1" >/dev/null 2>&1; }
gone() { ! xm list "$1" >/dev/null 2>&1; }

# inventory: what must be the same before and after: free memory, domains, processes, keys of
# domains, mounted grants.
inventory()
{
	sync
	xm info | grep -E '^free_memory' | tr -s ' '
	echo "domains $(xm list | wc -l)"
	echo "processes $(ps -o comm | grep -cE 'blkback|netback|consback|xend|xenstored|backendd')"
	echo "keys $(xs ls -f /local/domain | grep -cE '^/local/domain/([1-9]|0/backend/[a-z]+/[0-9])')"
	echo "vm keys $(xs ls -f /vm 2>/dev/null | grep -vc 00000000-0000-0000-0000-000000000000)"
	echo "records $(xs ls /config/domain 2>/dev/null | grep -c .)"
	echo "taps $(ls /sys/class/net | grep -c vif)"
}

# is_ours: the hypervisor under test is. One that does not say its name fails the test.
is_ours()
{
	[ -s /sys/hypervisor/version/extra ] || claim "the hypervisor says its name" false
	grep -q storevisor /sys/hypervisor/version/extra
}

# audits: our hypervisor recounts every reference of every frame, and finds each right.
audits()
{
	is_ours || return 0 # Debian's has no such key
	claim "the hypervisor recounts all frames" xm debug-keys A
	claim "and every count is right" sh -c 'xm dmesg | grep "audit:" | tail -n 12; xm dmesg | grep "audit:" | tail -n 1 | grep -q " 0 wrong"'
}

# at_end: the plan; after a failure also what the daemons logged.
at_end()
{
	echo "1..$n"
	[ -n "$wrong" ] || return 0
	for file in /var/log/xen/*.log; do
		echo "# $file:"
		tail -n 25 "$file" | sed 's/^/#   /'
	done
	dmesg | grep -E 'traps:|segfault|Out of memory' | sed 's/^/# /'
}
trap at_end EXIT
