#!/bin/sh
# SPDX-License-Identifier: MIT
# In dom0, under -icount: lines "NAME VALUE" for tests/bench/system/run. Times are instructions, of
# one a nanosecond.
here=/mnt/system
echo "power_on_to_services $("$here/probe" tsc)"
xm info >/dev/null # has xend write /host anew
total=$((2048 * 1024)) # what QEMU gave; each hypervisor's own idea of it leaves out other things
free=$(xs read /host/free_kib)
dom0=$(xs read /status/domain/Domain-0/memory_kib)
echo "memory_taken_kib $((total - free - dom0))"
"$here/probe" costs
log=/var/log/xen/console/guest-demo.log
start=$("$here/probe" tsc)
xm create /etc/xen/demo.cfg >/dev/null || exit 1
echo "create_guest $(($("$here/probe" tsc) - start))"
until grep -aq 'guest: ready' "$log"; do
	usleep 50000
done
echo "create_to_guest_shell $(($("$here/probe" tsc) - start))"
start=$("$here/probe" tsc)
xm destroy demo
echo "destroy_guest $(($("$here/probe" tsc) - start))"
