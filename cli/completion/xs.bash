# SPDX-License-Identifier: MIT
# bash completion for xs: commands and options from the program's own help, paths from the live store.

_xs_commands() { "$1" help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\)  *.*/\1/p'; }

# _xs_paths TOOL WORD: the children of the directory that WORD begins with, as full paths.
_xs_paths()
{
	local dir=${2%/*}
	[[ $2 == */* ]] || dir=
	"$1" list "${dir:-/}" 2>/dev/null | sed "s#^#$dir/#"
}

_xs()
{
	local cur=${COMP_WORDS[COMP_CWORD]} tool=${COMP_WORDS[0]} command='' i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
	done
	if [[ -z $command || $command == help ]]; then
		COMPREPLY=($(compgen -W "$(_xs_commands "$tool")" -- "$cur"))
		return
	fi
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$("$tool" help "$command" 2>/dev/null | sed -n '/^  *-/p' |
			grep -oE '^  *(-[a-zA-Z0-9],? ?)?(--[a-z-]+)?' | grep -oE -- '--?[a-zA-Z0-9][a-z-]*')" -- "$cur"))
		return
	fi
	if "$tool" help "$command" 2>/dev/null | head -n 1 | grep -qE 'PATH|PATTERN|FROM'; then
		COMPREPLY=($(compgen -W "$(_xs_paths "$tool" "$cur")" -- "$cur"))
		compopt -o nospace 2>/dev/null
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
	fi
}

complete -F _xs xs
