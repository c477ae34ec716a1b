# SPDX-License-Identifier: MIT
# network-common.sh - what every network-* script starts with. Source it first.
#
# Contract (Xen's): SCRIPT start|stop|status [NAME=VALUE]..., names of it: see each script. It ends with 0 when
# that is so (also when it was so before), else with 1 and one line on stderr; then nothing has changed.
# status: 0 it is up, 1 it is not. Needs iproute2.
# Gives: command, the NAMEs as variables, state (a folder of what is to be known at the stop), fatal, the rest below.

set -f # a value is words, never a pattern of files
PATH=$PATH:/usr/sbin:/sbin
run=/run/storevisor/network
ipv4=/proc/sys/net/ipv4 ipv6=/proc/sys/net/ipv6

# fatal TEXT: one line in the user's words, and the end.
fatal() {
	echo "${0##*/}: $*" >&2
	exit 1
}

names=' bridge netdev vlan stp address dhcp antispoof '
bridge='' netdev='' vlan='' stp='' address='' dhcp=''
command=$1
[ $# -eq 0 ] || shift
for arg; do
	case $names in
	*" ${arg%%=*} "*) [ "$arg" != "${arg#*=}" ] || fatal "'$arg': NAME=VALUE is expected" ;;
	*) fatal "unknown word '${arg%%=*}': it takes$names" ;;
	esac
	value=${arg#*=}
	case ${arg%%=*} in
	bridge) bridge=$value ;;
	netdev) netdev=$value ;;
	vlan) vlan=$value ;;
	stp) stp=$value ;;
	address) address=$value ;;
	dhcp) dhcp=$value ;;
	antispoof) [ "$value" = no ] || fatal "antispoof=$value: there is none here" ;; # Xen's, no by default
	esac
done
bridge=${bridge:-xenbr0}
case $bridge in
*[!A-Za-z0-9_.-]* | .* | -* | ????????????????*)
	fatal "'$bridge' is no bridge's name: 1 to 15 letters, digits, - _ . are"
	;;
esac
state=$run/$bridge

# alone: of what changes the network here only one runs at a time.
alone() {
	mkdir -p "$run" && exec 9>"$run/lock" && flock 9 || fatal "cannot lock $run"
}

# network_exists NAME
network_exists() { [ -e "/sys/class/net/$1" ]; }

# put VALUE FILE: a setting of the kernel's, if it is there and is another.
put() {
	[ ! -e "$2" ] || [ "$(cat "$2")" = "$1" ] || echo "$1" >"$2"
}

# ports: the bridge's.
ports() { ls "/sys/class/net/$bridge/brif" 2>/dev/null; }

# default_device: the NIC that the first default route leads by; of a bridge of ours, what that is made from.
default_device() {
	ways=$(ip -4 route show default && ip -6 route show default) || fatal "the routes cannot be told"
	by=$(echo "$ways" | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
	[ ! -e "$run/$by/port" ] || by=$(cat "$run/$by/port")
	echo "$by"
}

# mine FILE: the state is not another script's, which has that file: what there is of it only that one can undo.
mine() { [ ! -e "$state/$1" ] || fatal "$bridge is another script's, by which it was begun: stop it by that one first"; }

# dispatch: of a script with the functions start, stop and is_up.
dispatch() {
	case $command in
	start)
		case $(ip -V 2>&1) in *iproute2*) ;; *) fatal "ip is not iproute2's: apt install iproute2" ;; esac
		alone
		mine "$foreign"
		trap '' PIPE # nobody reads any more what is told: what is half done is to be done or undone
		start
		;;
	stop)
		alone
		[ -d "$state" ] || { ! network_exists "$bridge" || fatal "$bridge was not made here"; exit 0; }
		mine "$foreign"
		trap '' PIPE
		stop
		;;
	status) is_up || exit 1 ;;
	*) fatal "unknown action '$command': start, stop or status" ;;
	esac
	exit 0
}
