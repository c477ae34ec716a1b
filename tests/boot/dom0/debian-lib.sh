# SPDX-License-Identifier: MIT
# tests/boot/dom0/debian-lib.sh - one guest's life under Debian's xl, kernel backends and hotplug
# scripts.

debian_life()
{
	export PATH=$DEBIAN:/usr/lib/xen-4.17/bin:$PATH
	cp /opt/debian/scripts/* /etc/xen/scripts/
	touch /etc/xen/xl.conf
	modprobe -a xen-blkback xen-netback
	xl=/usr/lib/xen-4.17/bin/xl
	claim "Debian's xl info" $xl info
	claim "Debian's xl create" $xl create /etc/xen/cloud.cfg
	claim "the guest reaches its shell" hears cloud 90 'guest: ready'
	claim "with its disk" said cloud 'guest: disk mounted'
	claim "and its network" until_true 20 ping -c 1 -W 1 10.0.0.3
	claim "Debian's xl list shows it" sh -c "$xl list cloud | grep -q cloud"
	claim "Debian's xl pause and unpause" sh -c "$xl pause cloud && $xl unpause cloud && ping -c 3 -W 2 10.0.0.3"
	claim "Debian's xl dmesg" $xl dmesg
	claim "Debian's xl shutdown" $xl shutdown -w cloud
	claim "the guest shut down cleanly" said cloud 'guest: poweroff'
	claim "Debian's xl destroy" sh -c "$xl list cloud >/dev/null 2>&1 || exit 0; $xl destroy cloud; ! $xl domid cloud"
}
