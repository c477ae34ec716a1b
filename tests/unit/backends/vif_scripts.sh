#!/bin/sh
# SPDX-License-Identifier: MIT
# vif_scripts.sh SCRIPT-DIR - the network scripts' contract, with stand-ins for ip, brctl and the store tools. TAP output.
scripts=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

mkdir "$work/bin"
for tool in ip brctl xenstore-write; do
	printf '#!/bin/sh\necho %s "$@" >>%s/calls\n' "$tool" "$work" >"$work/bin/$tool"
done
printf '#!/bin/sh\nexit 1\n' >"$work/bin/xenstore-read"
chmod +x "$work"/bin/*
export PATH="$work/bin:$PATH" XENBUS_PATH=backend/vif/3/0 vif=vif3.0

# run SCRIPT ARGUMENT...: leaves status and calls behind
run()
{
	: >"$work/calls"
	script=$1
	shift
	sh "$scripts/$script" "$@" >/dev/null 2>&1
	status=$?
}

# claim TEXT TEST...: one result line
claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		sed 's/^/# /' "$work/calls"
	fi
}

called() { grep -qF -- "$1" "$work/calls"; }
failed_saying() { [ "$status" -ne 0 ] && called "$1" && called "hotplug-status error"; }

bridge=xenbr9 run vif-bridge online type_if=vif
claim "a bridge that does not exist is named with its cure" failed_saying \
	"backend/vif/3/0/hotplug-error bridge xenbr9 does not exist: create it, or change bridge= in the record"

bridge=lo run vif-bridge online type_if=vif
claim "an interface that is no bridge is named" failed_saying "hotplug-error lo is not a bridge"

run vif-bridge explode
claim "an unknown action is refused" failed_saying "unknown action 'explode'"

vif='' run vif-bridge online
claim "a missing interface name is refused" failed_saying "no interface given"

bridge=xenbr9 run vif-bridge offline type_if=vif
claim "going offline after the interface went is no error" [ "$status" -eq 0 ]

ip='' run vif-route online
claim "vif-route without an address names the key" failed_saying "add ip= to the record"

cd "$work" && : >10.9.8.7 # a file that a pattern would find
ip='10.9.8.[0-9]' vif=lo run vif-route offline
claim "an address is no pattern of files" called 'route del 10.9.8.[0-9]'
ip='' vif=lo run vif-route offline
claim "a card without an address goes offline all the same" called "ip link set dev lo down"
claim "with nothing said in its way" [ "$status" -eq 0 ]

# On a made-up machine: one bridge, then two.
mkdir -p "$work/made/net/br7/bridge" "$work/made/net/vif3.0"
echo 1500 >"$work/made/net/br7/mtu"
for file in "$scripts"/vif-*; do sed "s|/sys/class/net|$work/made/net|g" "$file" >"$work/made/${file##*/}"; done
own=$scripts scripts=$work/made
bridge='' run vif-bridge online
claim "the only bridge there is is the default" called "ip link set dev vif3.0 master br7"
mkdir -p "$work/made/net/br8/bridge"
bridge='' run vif-bridge online
claim "of several it is the one that Xen's tools make" failed_saying "bridge xenbr0 does not exist"
scripts=$own

real=
for b in /sys/class/net/*/bridge; do
	[ -d "$b" ] && real=$(basename "$(dirname "$b")")
done
if [ -n "$real" ]; then
	bridge=$real run vif-bridge online type_if=vif
	claim "a port joins its bridge" called "ip link set dev vif3.0 master $real"
	claim "success is said in the store" called "xenstore-write backend/vif/3/0/hotplug-status connected"
fi
echo "1..$n"
