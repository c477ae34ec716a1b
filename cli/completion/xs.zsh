#compdef xs
# SPDX-License-Identifier: MIT
# zsh completion for xs: commands and options from the program's own help, paths from the live store.

_xs()
{
	local tool=$words[1] command='' word
	local -a found
	for word in ${words[2,CURRENT-1]}; do
		[[ $word == -* ]] || { command=$word; break; }
	done
	if [[ -z $command || $command == help ]]; then
		found=(${(f)"$($tool help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\)  *\(.*\)/\1:\2/p')"})
		_describe command found
	elif [[ $words[CURRENT] == -* ]]; then
		found=(${(f)"$($tool help $command 2>/dev/null | sed -n '/^  *-/p' |
			grep -oE '^  *(-[a-zA-Z0-9],? ?)?(--[a-z_-]+)?' | grep -oE -- '--?[a-zA-Z0-9][a-z_-]*')"})
		compadd -- $found
	elif $tool help $command 2>/dev/null | head -n 1 | grep -qE 'PATH|PATTERN|FROM'; then
		local dir=${words[CURRENT]%/*}
		[[ $words[CURRENT] == */* ]] || dir=
		found=(${(f)"$($tool list ${dir:-/} 2>/dev/null | sed "s#^#$dir/#")"})
		compadd -S '' -- $found
	else
		_files
	fi
}

if [[ $funcstack[1] == _xs ]]; then _xs "$@"; else compdef _xs xs; fi
