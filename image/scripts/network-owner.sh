# SPDX-License-Identifier: MIT
# network-owner.sh - a NIC that systemd-networkd or NetworkManager has: the bridge in its place is then made by that
# one, with the NIC's own settings, so that its addresses are asked for and renewed there. Source it after
# network-common.sh. What is written is below /run: a boot without the bridge has nothing of it, and each manager's own
# files are left alone.
#
# Each owner O is two functions, of $port, $bridge and $state: O_take, which writes the bridge and makes it, and
# O_give, after which all is that one's as before. That addresses have come there, given() sees.

# shellcheck source-path=SCRIPTDIR source=network-networkd.sh
. "$(dirname "$0")/network-networkd.sh"
# shellcheck source-path=SCRIPTDIR source=network-manager.sh
. "$(dirname "$0")/network-manager.sh"

# on_bus NAME: the daemon of that name answers.
on_bus() {
	[ "$(busctl --timeout=10 call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus \
		NameHasOwner s "$1" 2>/dev/null)" = 'b true' ]
}

# owner DEV: networkd or manager; nothing: the kernel alone has it, or somebody who is not asked (ifupdown).
owner() {
	if networkd_has "$1"; then
		echo networkd
	elif manager_has "$1"; then
		echo manager
	fi
}

# words OWNER: as people call it.
words() { [ "$1" = manager ] && echo NetworkManager || echo systemd-networkd; }

# wanted: of the state's addresses those that whoever gives them gives again: IPv6 ones that a router's word made are
# made of the interface's own name by some, and have a time.
wanted() { sed '/:.* valid_lft /d; s/ .*//' "$state/addresses"; }

# given DEV: within 30 s it has what the NIC had, and a default route if that had one. Else: false, and what is missing.
given() {
	for _ in $(seq 300); do
		missing=
		shown=$(ip -o addr show dev "$1" 2>/dev/null)
		for one in $(wanted); do
			echo "$shown" | grep -F " $one " | grep -qv ' tentative ' || missing="$missing $one"
		done
		! grep '^0\.0\.0\.0/0' "$state/routes" | grep -q . || ip -4 route show default dev "$1" 2>/dev/null | grep -q . ||
			missing="$missing a-default-route"
		[ -n "$missing" ] || return 0
		sleep 0.1
	done
	return 1
}

# taken: the NIC is the bridge's port, by its owner, and the bridge has what it had.
taken() {
	"${owner}_take" || return 1
	given "$bridge" || { echo "${0##*/}: $(words "$owner") has not given $bridge in 30 s:$missing" >&2; return 1; }
	[ -e "/sys/class/net/$port/master" ] && return
	echo "${0##*/}: $(words "$owner") has not made $port a port" >&2
	return 1
}

# handed_back: the NIC has again what its owner gives it, and what that does not.
handed_back() {
	owner=$(cat "$state/owner")
	"${owner}_give"
	done=$?
	! network_exists "$bridge" || ip link del dev "$bridge"
	network_exists "$port" || { echo "$port is gone" >&2; rm -rf "$state"; return 1; }
	given "$port" || {
		echo "${0##*/}: $(words "$owner") has not given $port again, which has it from here:$missing" >&2
		ip link set dev "$port" up
		{ place_addresses "$port" && place_routes "$port"; } >"$state/batch"
		ip -force -batch "$state/batch"
		done=$?
	}
	[ $done != 0 ] || rm -rf "$state"
	return $done
}
