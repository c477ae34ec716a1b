# SPDX-License-Identifier: MIT
# bash completion for xm and xl: commands and options from the program's own help, domains from the store.

# _xm_domains WHERE: status: the domains there are; config: those with a record too.
_xm_domains()
{
	{ xs list "/$1/domain"; [[ $1 == status ]] || xs list /status/domain; } 2>/dev/null | grep -vx Domain-0 | sort -u
}

_xm()
{
	local cur=${COMP_WORDS[COMP_CWORD]} tool=${COMP_WORDS[0]} command='' i
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
	done
	if [[ -z $command ]]; then
		COMPREPLY=($(compgen -W "$("$tool" help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\)  *.*/\1/p')" -- "$cur"))
		return
	fi
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$("$tool" help "$command" 2>/dev/null |
			grep -oE '^  (-[a-zA-Z]|   )[, ] *(--[a-z_-]+)?' | grep -oE -- '--?[a-zA-Z][a-z_-]*')" -- "$cur"))
		return
	fi
	case $command in
	create | new | define)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur"; cd /etc/xen 2>/dev/null && compgen -G "$cur*.cfg")
		compopt -o filenames 2>/dev/null ;;
	image)
		case ${COMP_WORDS[COMP_CWORD - 1]} in
		--from | --from-disk | --ssh-key | --file)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null ;;
		--debian) COMPREPLY=($(compgen -W "bookworm trixie" -- "$cur")) ;;
		--*) ;;
		*) COMPREPLY=($(compgen -W "$(_xm_domains config)" -- "$cur")) ;;
		esac ;;
	restore | import-host)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null ;;
	help)
		COMPREPLY=($(compgen -W "$("$tool" help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\)  *.*/\1/p')" -- "$cur")) ;;
	config)
		if ((COMP_CWORD == i + 1)); then
			COMPREPLY=($(compgen -W "edit show" -- "$cur"))
		else
			COMPREPLY=($(compgen -W "$(_xm_domains config)" -- "$cur"))
		fi ;;
	block-detach | network-detach)
		if ((COMP_CWORD == i + 1)); then
			COMPREPLY=($(compgen -W "$(_xm_domains status)" -- "$cur"))
		else
			# what is no device's name is somebody's text, and compgen -W expands what it is given
			COMPREPLY=($(compgen -W "$("$tool" "${command%-detach}-list" --json "${COMP_WORDS[i + 1]}" 2>/dev/null |
				grep -oE '"(name|mac)": *"[A-Za-z0-9:._/-]*"' | cut -d '"' -f 4)" -- "$cur"))
		fi ;;
	start | delete | undefine | edit | autostart | rename | export | explain | history | why | wait | events)
		COMPREPLY=($(compgen -W "$(_xm_domains config)" -- "$cur")) ;;
	*)
		COMPREPLY=($(compgen -W "$(_xm_domains status)" -- "$cur")) ;;
	esac
}

complete -F _xm xm xl
