# SPDX-License-Identifier: MIT
# fish completion for xs: commands and options from the program's own help, paths from the live store.

function __xs_command
	for word in (commandline -opc)[2..-1]
		string match -q -- '-*' $word; or begin
			echo $word
			return 0
		end
	end
	return 1
end

function __xs_commands
	xs help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

function __xs_options
	xs help (__xs_command) 2>/dev/null | sed -n '/^  *-/p' |
		string match -r -a -- '(?:^  +| )(--?[a-zA-Z0-9][a-z-]*)' | string match -r -- '^-.*'
end

function __xs_paths
	set -l dir (string replace -r '[^/]*$' '' -- (commandline -ct))
	test -n "$dir"; or set dir /
	set -l at (string replace -r '(.)/$' '$1' -- $dir)
	for name in (xs list $at 2>/dev/null)
		echo $dir$name
	end
end

complete -c xs -f
complete -c xs -n 'not __xs_command' -a '(__xs_commands)'
complete -c xs -n '__xs_command; and string match -q -- "-*" (commandline -ct)' -a '(__xs_options)'
complete -c xs -n '__xs_command; and xs help (__xs_command) 2>/dev/null | head -n 1 | string match -qr "PATH|PATTERN|FROM"' -a '(__xs_paths)'
complete -c xs -n '__xs_command; and not xs help (__xs_command) 2>/dev/null | head -n 1 | string match -qr "PATH|PATTERN|FROM"' -F
