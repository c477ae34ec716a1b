#!/bin/sh
# SPDX-License-Identifier: MIT
# compat_many.sh - 200 generated command lines of the xenstore tools, ours and Debian's, on our daemon or
# (fourth argument: c, fifth: the shim it runs on, sixth: tests/bench/peers/start) on Debian's.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -x /usr/bin/xenstore-ls ]; then
	echo "1..0 # SKIP Debian's xenstore-utils are not installed"
	exit 0
fi
if [ "${4:-}" = c ]; then
	daemon=$(sh "$6" c "$dir" "$(full "$5")") || {
		echo "1..0 # SKIP Debian's xenstored is not installed"
		exit 0
	}
	export XENSTORED_PATH="$dir/socket"
else
	start_store
fi
count=200
sanitized && count=60
[ -z "$STOREVISOR_LONG" ] || count=5000
python3 "$here/compat_many.py" "$xs_prog" "${STOREVISOR_SEED:-17}" $count
