# SPDX-License-Identifier: MIT
# lib.sh - what the store tests in shell share: a daemon of their own in a temporary directory, and
# results in TAP. Arguments of every test: XENSTORED XS_PROGRAM LIBXENSTORE_DIRECTORY.
# XS_TEST_SOCKET names the socket of a daemon that runs already, to try the tests on another one.
# meson offers our library to whatever runs; Debian's tools get it only where a test says so
unset LD_LIBRARY_PATH
full() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
xenstored=$(full "$1") xs_prog=$(full "$2") lib_dir=$(full "$3")
dir=$(mktemp -d) || exit 99
daemon=
count=0 failed=0

finish() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

# A sanitized library cannot be loaded into another's program unless its runtime is there first.
sanitized() { grep -q __asan_init "$xs_prog" 2>/dev/null; }

# start_store [OPTION]...
start_store() {
	if [ -n "$XS_TEST_SOCKET" ]; then
		export XENSTORED_PATH="$XS_TEST_SOCKET"
		return
	fi
	mkdir -p "$dir/run" "$dir/state"
	rm -f "$dir/run/socket"
	"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" "$@" >>"$dir/daemon.log" 2>&1 &
	daemon=$!
	export XENSTORED_PATH="$dir/run/socket"
	for _ in $(seq 4800); do
		"$xs_prog" exists / 2>/dev/null && return
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.05
	done
	echo "Bail out! xenstored did not start: $(cat "$dir/daemon.log")"
	exit 99
}

pass() { count=$((count + 1)); printf 'ok %d - %s\n' "$count" "$1"; }
fail() {
	count=$((count + 1)); failed=$((failed + 1))
	printf 'not ok %d - %s\n' "$count" "$1"
	[ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/# /'
}

# is WHAT EXPECTED ACTUAL
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else
		fail "$1" "expected: [$2]
got:      [$3]"
	fi
}

# Runs a command; its output in $out, its errors in $err, its status in $rc.
run() {
	out=$("$@" 2>"$dir/err")
	rc=$?
	err=$(cat "$dir/err")
}

# until_so COMMAND...: goes on when it succeeds; the test ends when it has not for four minutes.
until_so()
{
	comes_so "$@" && return
	echo "Bail out! still not so after four minutes: $*"
	exit 99
}
comes_so()
{
	for _ in $(seq 2400); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

plan() { echo "1..$count"; [ "$failed" = 0 ]; exit; }
