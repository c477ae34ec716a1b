# SPDX-License-Identifier: MIT
# tests/boot/dom0/debian-lib.sh - one guest's life under Debian's xl, kernel backends and hotplug
# scripts.

# saved_life: into a file and back; debian_life: all of it.
saved_life()
{
	claim "Debian's xl save" $xl save cloud /tmp/cloud.save
	claim "Debian's xl restore" $xl restore /tmp/cloud.save
	rm -f /tmp/cloud.save
	claim "the guest goes on where it was" until_true 30 ping -c 1 -W 1 10.0.0.3
}

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
	! is_ours || saved_life
	claim "Debian's xl dmesg" $xl dmesg
	claim "Debian's xl shutdown" $xl shutdown -w cloud
	claim "the guest shut down cleanly" said cloud 'guest: poweroff'
	claim "Debian's xl destroy" sh -c "$xl list cloud >/dev/null 2>&1 || exit 0; $xl destroy cloud; ! $xl domid cloud"
}

# kit_guest NAME: a guest of tests/guests with a disk and a card on Linux's own backends; it says
# success.
kit_guest()
{
	cat >"/tmp/$1.cfg" <<-END
		name = "$1"
		kernel = "/mnt/guests/$1.elf"
		memory = 8
		disk = [ "file:/tmp/kit.img,xvda,w" ]
		vif = [ "mac=00:16:3e:00:00:77,bridge=xenbr0" ]
	END
	$xl create -q "/tmp/$1.cfg" || return 1
	until_true 60 said "$1" '^result: success' || {
		tail -n 5 "$(log_of "$1")"
		$xl destroy "$1"
		return 1
	}
}

# debian_kit: the guest kit's frontends against xen-blkback and xen-netback.
debian_kit()
{
	dd if=/dev/zero of=/tmp/kit.img bs=1M count=1 2>/dev/null
	for name in store block network; do
		claim "the kit's $name guest under Debian's xl and Linux's backends" kit_guest $name
	done
}
