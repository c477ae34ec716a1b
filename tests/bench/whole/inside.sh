#!/bin/sh
# SPDX-License-Identifier: MIT
# inside.sh ours|debian ROUNDS PAGES compile|web... - in dom0, under -icount: lines "NAME VALUE" of a guest
# for each.
daemons=$1 rounds=$2 pages=$3
shift 3
here=/mnt/whole
if [ "$daemons" = debian ]; then
	export PATH=/opt/debian/bin:/usr/lib/xen-4.17/bin:$PATH
	cp /opt/debian/scripts/* /etc/xen/scripts/
	touch /etc/xen/xl.conf
	modprobe -a xen-blkback xen-netback
	create='/usr/lib/xen-4.17/bin/xl create -q'
else
	create='xm create'
fi
for figure; do
	cat >"/tmp/$figure.cfg" <<-END
		name = "$figure"
		kernel = "/usr/share/storevisor/vmlinuz-amd64"
		ramdisk = "$here/guest.cpio"
		extra = "console=hvc0 quiet norandmaps FIGURE=$figure ROUNDS=$rounds"
		memory = 640
		vif = [ "mac=00:16:3e:00:01:0b,bridge=xenbr0" ]
		on_poweroff = "destroy"
	END
	$create "/tmp/$figure.cfg" >/dev/null || exit 1
	log=/var/log/xen/console/guest-$figure.log
	until grep -aq 'figures: done' "$log"; do sleep 3; done # looking costs instructions
	tr -d '\r' <"$log" | sed -n 's/^\([a-z]* [0-9]*\)$/\1/p'
	[ "$figure" != web ] || for _ in $(seq "$rounds"); do echo "web $("$here/web" get 10.0.0.11 "$pages")"; done
done
