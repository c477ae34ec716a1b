#!/bin/sh
# SPDX-License-Identifier: MIT
# The blocks of docs/tutorial (/mnt/pages: N.sh, N.title, N.want), from the one where the last boot ended. A block that
# says "reboot" is the last of its boot.
. /mnt/dom0/lib.sh
STATE=/var/lib/tutorial
export DEBIAN_FRONTEND=noninteractive
next=$(cat $STATE/next 2>/dev/null || echo 1)
n=$(cat $STATE/n 2>/dev/null || echo 0)
last=$(cat /mnt/pages/count)
usleep() { sleep 1; } # busybox' own; perl looks at what was said each time

# leave: the plan comes with the last boot.
leave()
{
	if [ -e /run/session.reboot ]; then
		echo "$n" >$STATE/n
		echo "$next" >$STATE/next
	else
		echo "1..$n"
	fi
}
trap leave EXIT

# prepared: the machine is one whose card has the address, apt asks nobody, and root's home has what the pages begin with.
prepared()
{
	mkdir -p $STATE
	cp -r /mnt/home/. /root/
	echo 'APT::Get::Assume-Yes "true"; quiet "1";' >/etc/apt/apt.conf.d/tutorial
	card=$(ls /sys/bus/virtio/drivers/virtio_net/*/net)
	printf 'auto lo\niface lo inet loopback\n\nauto %s\niface %s inet dhcp\n' "$card" "$card" >/etc/network/interfaces
	ifdown xenbr0 || ip link del xenbr0 # of the machine as it is for other tests
	ifup "$card"
}

says() { perl -0777 -e 'open F, shift; $want = <F>; open F, shift; $said = <F>; $said =~ tr|\r||d; exit !($said =~ /$want/)' "$1" "$2"; }

# typed N: the block, in a shell of its own; what it says is in /tmp/said. Who looks at a console leaves it when that
# has said what the page shows.
typed()
{
	{ echo 'reboot() { : >/run/session.reboot; }'; cat "/mnt/pages/$1.sh"; } >/tmp/block
	want=/mnt/pages/$1.want
	if grep -q 'create -c\|xm console' /tmp/block; then
		sed 's/\\z$//' "$want" >/tmp/want
		looks_on 300 '' sh -e /tmp/block -- says /tmp/want /tmp/shown
		status=$?
		cp /tmp/shown /tmp/said
	else
		status=0
		sh -e /tmp/block </dev/null >/tmp/said 2>&1 || status=$?
	fi
	[ $status = 0 ] || { echo "status $status"; cat /tmp/said; return 1; }
	[ ! -e "$want" ] || says "$want" /tmp/said || { echo "it says:"; cat /tmp/said; return 1; }
}

[ "$next" != 1 ] || prepared >/dev/null 2>&1
until [ "$next" -gt "$last" ] || [ -e /run/session.reboot ]; do
	block=$next
	next=$((next + 1))
	claim "$(cat /mnt/pages/$block.title)" typed "$block"
done
[ ! -e /run/session.reboot ] || exit 0
