#!/bin/sh
# SPDX-License-Identifier: MIT
# compat.sh - xs under the names of the original tools does what Debian's xenstore-* do: same
# output, same messages, same status, same store afterwards, for each command line below.
. "$(dirname "$0")/lib.sh"
if [ ! -x /usr/bin/xenstore-ls ]; then
	echo "1..0 # SKIP Debian's xenstore-utils are not installed"
	exit 0
fi
start_store
mkdir "$dir/ours" "$dir/theirs"
for tool in xenstore xenstore-ls xenstore-read xenstore-write xenstore-rm xenstore-list \
	    xenstore-exists xenstore-chmod xenstore-watch; do
	ln -s "$xs_prog" "$dir/ours/$tool"
	ln -s "/usr/bin/$tool" "$dir/theirs/$tool"
done

reset() {
	/usr/bin/xenstore-rm /t /u >/dev/null 2>&1
	/usr/bin/xenstore-write /t/a hello /t/b 'two
lines' /t/c '' /t/dir/x 1 /t/dir/y/z 2 /t/long "$(printf '%0100d' 7)" \
		/t/odd 'tab\tcr\rnul\000one\001seven\007eight\010del\x7fhigh\xffbs\\' \
		/t/a-name-that-is-quite-long-in-itself-and-then-goes-on-until-the-line-ends-here v
	/usr/bin/xenstore-chmod /t/dir n0 r0 w0 b0
}

# Runs one command line with the tools of one side; everything seen goes into one text.
side() {
	reset
	( cd "$dir/$1" && PATH="$dir/$1:$PATH" && eval "$2" >"$dir/out" 2>"$dir/err"
	  echo "status $?" >"$dir/rc" )
	echo "--- output"; cat "$dir/out"
	echo "--- errors"; cat "$dir/err"
	cat "$dir/rc"
	echo "--- store"; /usr/bin/xenstore-ls -f -p /t; /usr/bin/xenstore-ls -f -p /u 2>&1
}

# A watch of the line has said its first word.
begun() { until_so test -s "$dir/out"; }

same() {
	ours=$(side ours "$1"); theirs=$(side theirs "$1")
	if [ "$ours" = "$theirs" ]; then pass "$1"; else
		fail "$1" "$(printf '%s\n' "$theirs" >"$dir/1"; printf '%s\n' "$ours" >"$dir/2"
			     diff -u "$dir/1" "$dir/2")"
	fi
}

while IFS= read -r line; do
	case $line in ''|'#'*) continue ;; esac
	same "$line"
done <<'LINES'
xenstore-ls /t
xenstore-ls -f /t
xenstore-ls -p /t
xenstore-ls -f -p /t
xenstore-ls -fp /t/dir /t/dir/y
xenstore-ls /t/a
xenstore-ls /nothing
xenstore-ls t
xenstore-ls -h
xenstore-ls -n 1 /t
xenstore-ls -z /t
xenstore-ls --flat --prefix /t/dir
xenstore ls /t/dir
xenstore-read /t/a
xenstore-read /t/a /t/b /t/odd
xenstore-read -p /t/a
xenstore-read -p /t/a /t/b
xenstore-read -R /t/b
xenstore-read -R /t/odd
xenstore-read /t/c
xenstore-read /t
xenstore-read
xenstore-read -h
xenstore-read -f /t/a
xenstore-read /nothing
xenstore-read /t/a /nothing /t/b
xenstore-read -s /t/a
xenstore-read /t/a/
xenstore-read //t
xenstore read /t/a /t/b
xenstore-write /t/a new
xenstore-write /t/a new /t/new/deep 2
xenstore-write /t/a
xenstore-write
xenstore-write /t/a 1 /t/b
xenstore-write /t/e 'a\\b\tc\nd\re\x41f\101g\q\"'
xenstore-write -R /t/e 'a\\b\tc'
xenstore-write /t/e 'a\xzz' /t/f 'tr\' /t/g 'o\400z' /t/h 'x\x4g' /t/i '\8\18' /t/j '\x'
xenstore-write /t/bad//path 1
xenstore-write /t/ok 1 '/t/not ok' 2
xenstore-write -p /t/a 1
xenstore-rm /t/a
xenstore-rm /t
xenstore-rm /t/a /t/b
xenstore-rm /nothing
xenstore-rm /nothing/x
xenstore-rm /t/a /nothing/x
xenstore-rm -t /t/dir/y/z
xenstore-rm -t /t/dir/x
xenstore-write /u/v/w/x 1 && xenstore-rm -t /u/v/w/x
xenstore-write /u/v 1 /u/v/w/x 1 && xenstore-rm -t /u/v/w/x
xenstore-rm
xenstore-rm -r /t/a
xenstore-list /t
xenstore-list -p /t
xenstore-list /t/a
xenstore-list /t /nothing
xenstore-list /nothing
xenstore-list /t/dir /t/dir/y
xenstore-list -p /t/dir /t/dir/y
xenstore-list
xenstore-exists /t/a
xenstore-exists /nothing
xenstore-exists /t/a /t/b
xenstore-exists /t/a /nothing
xenstore-exists
xenstore-chmod /t/a n0
xenstore-chmod /t/a r0 w0 b0
xenstore-chmod -r /t/dir r0
xenstore-chmod -u /t/dir/y r0
xenstore-chmod -r -u /t/dir/y b0
xenstore-chmod /t/a x0
xenstore-chmod /t/a
xenstore-chmod /nothing n0
xenstore-chmod
xenstore-chmod -t /t/a n0
xenstore-watch -n 0 /t
xenstore-watch -n 1 /t
xenstore-watch -n 2 /t /u
xenstore-watch -n
xenstore-watch
xenstore-watch -n 2 /t/a & begun; xenstore-write /t/a 2; wait
xenstore-watch -n 3 /t & begun; xenstore-rm /t/dir; xenstore-write /t/n/m 1; wait
xenstore
xenstore nonsense
xenstore rm
xenstore write -h
xenstore -h
XENSTORED_PATH=/nothing/here xenstore-ls
XENSTORED_PATH=/nothing/here xenstore-read /t
LINES

# the width of a terminal decides where values are cut
if command -v script >/dev/null; then
	for cols in 30 70 120; do
		same "script -qec 'stty cols $cols; xenstore-ls -p /t' /dev/null </dev/null"
	done
fi
plan
