#!/bin/sh
# SPDX-License-Identifier: MIT
# json.sh - -j of every command: what it prints is JSON, and so are its errors.
. "$(dirname "$0")/lib.sh"
start_store
python3 "$(dirname "$0")/json_of_commands.py" "$xs_prog" "$dir" >"$dir/claims" 2>&1 || echo "not ok the script" >>"$dir/claims"
while read -r verdict text; do
	case $verdict in
	ok) pass "$text" ;;
	'#') echo "# $text" ;;
	*) fail "$verdict $text" ;;
	esac
done <"$dir/claims"
plan
