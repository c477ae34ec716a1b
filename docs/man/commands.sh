#!/bin/sh
# SPDX-License-Identifier: MIT
# commands.sh PAGE STATUSES TOOL PROGRAM: PAGE with @COMMANDS@ replaced by what the program's own help says of
# each command, and @STATUSES@ by the list in STATUSES (cli/lib/die.h), as scdoc. The command table and that
# list are the only sources.
set -eu
page=$1 statuses=$2 tool=$3 program=$4

# One command's help: usage, sentences, options ("  -x, --long ARG   words"), lines to take as they
# are ("  xs ls /"). What scdoc would read as its own signs is escaped, but in those lines.
command_page()
{
	"$program" help "$1" | awk -v tool="$tool" -v name="$1" '
		function plain(text) { gsub(/[\\*_]/, "\\\\&", text); sub(/^[-.|#]/, "\\\\&", text); return text }
		function fence(on) { if (on == fenced) return; fenced = on; if (on) print ""; print "\t```"; if (!on) print "" }
		NR == 1 {
			sub(/^Usage: [a-z]+ [^ ]+ */, ""); sub(/ +$/, "")
			print "*" tool " " name "*" ($0 != "" ? " " plain($0) : "")
			next
		}
		/^$/ || /--help .*help$/ || /--help +this text$/ { next }
		/^  +-/ {
			fence(0)
			match($0, /^ +(-[^ ]+ ?)?(--[^ ]+)?( [A-Z][^ ]*)?/)
			left = substr($0, 1, RLENGTH); right = substr($0, RLENGTH + 1)
			gsub(/^ +| +$/, "", left); gsub(/  +/, " ", left); sub(/^ +/, "", right)
			print "\n\t*" plain(left) "*\n\t\t" plain(right) "\n"
			next
		}
		/^  / { fence(1); print "\t" $0; next }
		{ fence(0); print "\t" plain($0); if (/[.:]$/) print "" }
		END { fence(0); print "" }'
}

while IFS= read -r line; do
	if [ "$line" = @STATUSES@ ]; then
		sed -n 's|^\tCLI_[A-Z_]* = \([0-9]*\), *\/\* \(.*\) \*\/$|*\1*\n\t\2\n|p' "$statuses"
		continue
	elif [ "$line" != @COMMANDS@ ]; then
		printf '%s\n' "$line"
		continue
	fi
	printf '# COMMANDS\n\n'
	for command in $("$program" help | sed -n 's/^ \([a-z][a-z-]*\) .*/\1/p'); do
		command_page "$command"
	done
done <"$page"
