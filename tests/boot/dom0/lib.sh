# SPDX-License-Identifier: MIT
# tests/boot/dom0/lib.sh - dom0's half of a boot test: claims as TAP, and words for what tests do with guests.

n=0
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

# until_true SECONDS COMMAND...: COMMAND succeeds in time.
until_true()
{
	tenths=$(($1 * 5))
	shift
	until "$@" >/dev/null 2>&1; do
		tenths=$((tenths - 1))
		[ $tenths -gt 0 ] || { echo "not in time: $*"; "$@"; return 1; }
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

# types NAME TEXT: a line into the guest's console, as xm console's user would.
types()
{
	# A writer that leaves at once would take its bytes along: xm console stays until the guest answered.
	(sleep 1; printf '%s\n' "$2"; sleep 2; printf '\035') | xm console "$1"
}

running() { xm list "$1" >/dev/null 2>&1; }
gone() { ! xm list "$1" >/dev/null 2>&1; }

# guest_files: the guests' disks differ from the configuration's only when a test asks; see /etc/xen.
# inventory: what must be the same before and after: free memory, domains, processes, keys of domains, mounted grants.
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

trap 'echo "1..$n"' EXIT
