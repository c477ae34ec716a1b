# SPDX-License-Identifier: MIT
# vif-common.sh - what every vif-* script starts with. Source it first.
#
# Contract (Xen's): SCRIPT ACTION [NAME=VALUE]..., ACTION one of online offline add remove, with
# vif, bridge, ip, XENBUS_PATH in the environment (XENBUS_PATH relative to /local/domain/0).
# It ends by `success` (hotplug-status=connected) or `fatal TEXT` (hotplug-error, and
# hotplug-status=error). Gives: command, dev, and the functions below.

set -f # a value of the store's is words, never a pattern of files
PATH=$PATH:/usr/lib/storevisor/bin # xenstore-read and -write, where no other package has them
command=$1
[ $# -gt 0 ] && shift
for arg; do
	case $arg in
	type_if=*) type_if=${arg#type_if=} ;;
	bridge=*) bridge=${arg#bridge=} ;;
	esac
done
type_if=${type_if:-vif}

# fatal TEXT: one line in the user's words, for `xm`, and the end.
fatal() {
	if [ -n "$XENBUS_PATH" ]; then
		xenstore-write "$XENBUS_PATH/hotplug-error" "$*" "$XENBUS_PATH/hotplug-status" error
	fi
	echo "$0: $*" >&2
	exit 1
}

success() {
	[ -z "$XENBUS_PATH" ] || xenstore-write "$XENBUS_PATH/hotplug-status" connected
}

# xenstore_read_default PATH DEFAULT
xenstore_read_default() {
	xenstore-read "$1" 2>/dev/null || echo "$2"
}

case $command in
online | offline | add | remove) ;;
*) fatal "unknown action '$command': online, offline, add or remove" ;;
esac

dev=${vif:-$INTERFACE}
[ -n "$dev" ] || fatal "no interface given: vif is not set"

# up_port DEV: every guest port answers with the same address, which a bridge never picks as its
# own because it is the highest there is, and dom0 itself speaks no IP on it.
up_port() {
	ip link set dev "$1" down 2>/dev/null
	ip link set dev "$1" address fe:ff:ff:ff:ff:ff || fatal "cannot set the address of $1"
	[ ! -e "/proc/sys/net/ipv6/conf/$1/disable_ipv6" ] ||
		echo 1 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"
}
