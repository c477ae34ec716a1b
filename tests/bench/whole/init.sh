#!/bin/sh
# SPDX-License-Identifier: MIT
# The first process of a guest, and of a machine without a hypervisor (BARE=1): what it is to do is on
# the kernel's command line. Figures are lines "NAME VALUE".
export PATH=/bin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sys /sys # where brctl makes a bridge
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
for module in /m/*.ko; do [ ! -e "$module" ] || insmod "$module"; done

# As one does it natively: a name space at the other end of a pair of cards, one of which is in a bridge.
bare_web()
{
	web serve -n veth1 10.0.0.11 &
	server=$!
	brctl addbr xenbr0
	/usr/bin/ip addr add 10.0.0.1/24 dev xenbr0
	/usr/bin/ip link add veth0 type veth peer name veth1
	# before it has one of its own, the card would stay here
	until [ "$(readlink /proc/$server/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do usleep 20000; done
	/usr/bin/ip link set veth1 netns $server
	brctl addif xenbr0 veth0
	/usr/bin/ip link set veth0 up
	/usr/bin/ip link set xenbr0 up
	for _ in $(seq "$ROUNDS"); do echo "web $(web get 10.0.0.11 "$PAGES")"; done
}

case $FIGURE in
compile)
	/tree/compile.sh # what is read and made once
	for _ in $(seq "$ROUNDS"); do echo "compile $(clock /tree/compile.sh)"; done
	;;
web)
	/usr/bin/ip link set lo up
	if [ -n "$BARE" ]; then bare_web; else web serve eth0 10.0.0.11 & fi
	;;
esac
echo 'figures: done'
[ "$FIGURE$BARE" != web ] || wait
poweroff -f
