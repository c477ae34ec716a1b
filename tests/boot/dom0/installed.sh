#!/bin/sh
# SPDX-License-Identifier: MIT
# Two boots of a Debian on whose disk our packages are: natively, and under the hypervisor.
. /mnt/dom0/lib.sh
. /mnt/dom0/debian-machine.sh

case $stage in
native)
	claim "the machine boots natively" not test -e /sys/hypervisor/type
	native_facts
	same "nothing that manages domains runs" inactive "$(systemctl is-active xend.service)"
	claim "the store serves" xs write /installed/was native
	next_is_ours
	again once
	;;
once)
	whole_under
	guest
	claim "it shuts down when it is told" xm shutdown --wait first
	claim "the next boot is native again" sh -c 'storevisor-boot | grep -q "^by default: without"'
	;;
esac
