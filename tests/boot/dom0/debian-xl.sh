#!/bin/sh
# SPDX-License-Identifier: MIT
# Our store serves Debian's xl, console daemon and kernel backends; our domain manager and backends
# stand aside, and then take over a guest that xl saved, and give it back.
. /mnt/dom0/lib.sh
. /mnt/dom0/debian-lib.sh

consoled() { /usr/lib/xen-4.17/bin/xenconsoled --pid-file=/run/xen/xenconsoled.pid --log=guest --log-dir=/var/log/xen/console; }
gone_process() { ! kill -0 "$1" 2>/dev/null; }

# ours, theirs: who builds guests, keeps their consoles and serves their devices.
ours()
{
	pid=$(cat /run/xen/xenconsoled.pid)
	kill "$pid" && until_true 20 gone_process "$pid" && rmmod xen-blkback xen-netback && service start xend backendd
}
theirs()
{
	service stop xend backendd && modprobe -a xen-blkback xen-netback && consoled
}

# between_tools: a guest's memory from xl to xm and back, by their files.
between_tools()
{
	claim "another guest under Debian's xl" $xl create /etc/xen/cloud.cfg
	claim "reaches its shell" hears cloud 90 'guest: ready' 2
	claim "Debian's xl save" $xl save cloud /tmp/cloud.xl
	claim "our domain manager and backends begin" ours
	claim "xm restore takes what xl saved, by what it wrote down" xm restore /tmp/cloud.xl
	claim "the guest goes on where it was" until_true 30 ping -c 1 -W 1 10.0.0.3
	claim "and has not booted again" sh -c "[ \$(grep -ac 'guest: ready' $(log_of cloud)) = 2 ]"
	rm -f /tmp/cloud.xl
	claim "xm save --xl" xm save --xl cloud /tmp/cloud.xl
	claim "Debian's daemons and drivers are back" theirs
	claim "Debian's xl restore takes what xm saved" $xl restore /etc/xen/cloud.cfg /tmp/cloud.xl
	claim "the guest goes on there" until_true 30 ping -c 1 -W 1 10.0.0.3
	claim "and has not booted again either" sh -c "[ \$(grep -ac 'guest: ready' $(log_of cloud)) = 2 ]"
	claim "Debian's xl destroys it" $xl destroy cloud
	rm -f /tmp/cloud.xl
}

service stop xend backendd
xs rm /local/domain/0/name # what tells xen-init-dom0 that there is nothing to do
claim "Debian's xen-init-dom0" /usr/lib/xen-4.17/bin/xen-init-dom0
claim "has told the store of its CPU pool" $DEBIAN/xenstore-read /local/pool/0/name
consoled
debian_life
! is_ours || between_tools
same "the store daemon is ours" /usr/sbin/xenstored "$(readlink "/proc/$(daemon xenstored)/exe")"
