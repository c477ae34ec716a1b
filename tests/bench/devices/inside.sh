#!/bin/sh
# SPDX-License-Identifier: MIT
# In dom0, under -icount: inside.sh ours|debian TIMES [disk|net|formats|ROW]... Two guests, of which the first
# has a disk in dom0's memory and one that takes 200 us; for formats, which Debian's has not, a third, whose disks
# are files of a file system in dom0's memory, in each cache= mode, and have servers; lines for own.awk: "row NAME NANOSECONDS cpu
# DOM0 FIRST SECOND", each row so many times. In the environment, VCPUS: of each guest.
daemons=$1 times=$2
shift 2
here=/mnt/devices
dom0=10.0.0.1 first=10.0.0.11 second=10.0.0.12 third=10.0.0.13
wanted=${*:-disk net formats}

# module PATTERN WORD...
module()
{
	pattern=$1
	shift
	for file in "$here"/m/*-$pattern.ko; do insmod "$file" "$@"; done
}

module 'configfs' 2>/dev/null
module 'brd' rd_nr=2 rd_size=65536
module 'null_blk' nr_devices=1 gb=1 queue_mode=2 irqmode=2 completion_nsec=200000 submit_queues=1 \
	hw_queue_depth=128
dd if=/dev/zero of=/dev/ram0 bs=1M count=64 2>/dev/null # its pages exist from now on

if [ "$daemons" = debian ]; then
	export PATH=/opt/debian/bin:/usr/lib/xen-4.17/bin:$PATH
	cp /opt/debian/scripts/* /etc/xen/scripts/
	touch /etc/xen/xl.conf
	modprobe -a xen-blkback xen-netback
	create='/usr/lib/xen-4.17/bin/xl create -q'
else
	create='xm create'
fi

# guest NAME ADDRESS DISKS
guest()
{
	cat >"/tmp/$1.cfg" <<-END
		name = "$1"
		kernel = "/usr/share/storevisor/vmlinuz-amd64"
		ramdisk = "$here/guest.cpio"
		extra = "console=hvc0 quiet ADDRESS=$2"
		memory = 128
		vcpus = ${VCPUS:-1}
		disk = [ $3 ]
		vif = [ "mac=00:16:3e:00:01:${2##*.},bridge=xenbr0" ]
	END
	$create "/tmp/$1.cfg" >/dev/null || exit 1
	until grep -aq 'load: ready' "/var/log/xen/console/guest-$1.log"; do usleep 100000; done
}

guest a $first '"phy:/dev/ram0,xvda,w", "phy:/dev/nullb0,xvdb,w"'
guest b $second ''
"$here/load" serve &
server=$!
until ping -c 1 -W 1 $first >/dev/null && ping -c 1 -W 1 $second >/dev/null; do :; done

is_wanted()
{
	for word in $wanted; do
		[ "$word" != "$1" ] && [ "$word" != "$2" ] || return 0
	done
	return 1
}

# row GROUP NAME WHERE COMMAND...: COMMAND of load, done at WHERE.
row()
{
	group=$1 name=$2 where=$3
	shift 3
	is_wanted "$group" "$name" || return 0
	for _ in $(seq "$times"); do
		echo "row $name $("$here/load" ask "$where" "$@" | tr '\n' ' ')"
	done
}

# pair NAME FAR FAR-COMMAND NEAR NEAR-COMMAND: as row; FAR's command is begun before and ends by
# itself. What it says is a line of its own.
pair()
{
	is_wanted net "$1" || return 0
	for _ in $(seq "$times"); do
		"$here/load" ask "$2" $3 >/tmp/far &
		far=$!
		usleep 200000
		echo "row $1 $("$here/load" ask "$4" $5 | tr '\n' ' ')"
		wait $far
		echo "far $1 $(grep -v cpu /tmp/far)"
	done
}

row disk read_64k_depth_8 $first disk /dev/xvda read 65536 8 600
row disk write_64k_depth_8 $first disk /dev/xvda write 65536 8 600
row disk read_4k_depth_32 $first disk /dev/xvda rread 4096 32 4000
row disk write_4k_depth_32 $first disk /dev/xvda rwrite 4096 32 4000
row disk read_4k_depth_1 $first disk /dev/xvda rread 4096 1 1500
row disk write_4k_depth_1 $first disk /dev/xvda rwrite 4096 1 1500
row disk sync_write_4k $first disk /dev/xvda swrite 4096 1 1000
row disk buffered_read_64k $first buffered /dev/xvda 65536 400
row disk slow_read_4k_depth_32 $first disk /dev/xvdb rread 4096 32 3000
row disk slow_read_4k_depth_1 $first disk /dev/xvdb rread 4096 1 300
pair tcp_dom0_to_guest_kib $first "sink 5001" $dom0 "source $first 5001 16384"
pair tcp_guest_to_dom0_kib $dom0 "sink 5001" $first "source $dom0 5001 16384"
pair tcp_guest_to_guest_kib $second "sink 5001" $first "source $second 5001 16384"
pair packet_dom0_to_guest $first "count 5002" $dom0 "flood $first 5002 10000"
pair packet_guest_to_dom0 $dom0 "count 5002" $first "flood $dom0 5002 10000"
pair packet_guest_to_guest $second "count 5002" $first "flood $second 5002 10000"
pair round_trip_guest_dom0 $dom0 "echo 5003" $first "ping $dom0 5003 1000"
pair round_trip_guest_guest $second "echo 5003" $first "ping $second 5003 1000"

# wants_formats: is a row of that group, or by its name, to be measured?
wants_formats()
{
	[ "$daemons" = ours ] || return 1
	for word in $wanted; do
		case $word in formats | file_* | qcow2_* | nbd_*) return 0 ;; esac
	done
	return 1
}

# formats_guest: with a disk of each kind, xvdb to xvdh. Its readers are where blkback's jail shows them.
formats_guest()
{
	for file in "$here"/lib/x86_64-linux-gnu/*; do
		name=/lib/x86_64-linux-gnu/${file##*/}
		[ -e "$name" ] || cp "$file" "$name"
	done
	cp "$here/bin/qemu-nbd" /usr/bin/
	dd if="$here/fs.img" of=/dev/ram1 bs=1M 2>/dev/null
	mkdir -p /tmp/files
	mount -t ext4 /dev/ram1 /tmp/files || exit 1
	ip link set lo up
	disks=
	for kind in none writeback writethrough directsync unsafe nbd; do
		dd if=/dev/zero of=/tmp/files/$kind bs=1M count=4 2>/dev/null
	done
	cp "$here/image.qcow2" /tmp/files/
	qemu-nbd -f raw -t -k /tmp/nbd.socket --fork /tmp/files/nbd || exit 1
	letter=b
	for kind in none writeback writethrough directsync unsafe; do
		disks="$disks\"format=raw, vdev=xvd$letter, access=rw, cache=$kind, target=/tmp/files/$kind\", "
		letter=$(echo $letter | tr b-f c-g)
	done
	guest c $third "$disks\"/tmp/files/image.qcow2,qcow2,xvdg,w\", \"nbd+unix:///?socket=/tmp/nbd.socket,raw,xvdh,w\""
	until ping -c 1 -W 1 $third >/dev/null; do :; done
}

# formats_rows KIND DISK
formats_rows()
{
	row formats "$1_write_4k_depth_32" $third disk "/dev/$2" rwrite 4096 32 1500
	row formats "$1_read_4k_depth_32" $third disk "/dev/$2" rread 4096 32 1500
	row formats "$1_sync_write_4k" $third disk "/dev/$2" swrite 4096 1 300
}

if wants_formats; then
	formats_guest
	formats_rows file_none xvdb
	formats_rows file_writeback xvdc
	formats_rows file_writethrough xvdd
	formats_rows file_directsync xvde
	formats_rows file_unsafe xvdf
	formats_rows qcow2 xvdg
	formats_rows nbd xvdh
fi
kill $server
