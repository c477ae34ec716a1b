#!/bin/sh
# SPDX-License-Identifier: MIT
# Our hypervisor on machines of other kinds: every CPU model, board, firmware, size and number of
# CPUs once, boards, firmware and HPET in all pairs. Each reaches dom0's services with all CPUs,
# sees the memory it should, and turns off. machinesall.sh has many more rows.
. "$(dirname "$0")/lib.sh"

# row MODEL BOARD FIRMWARE HPET MEMORY CPUS BUS [guest]: boots that machine; with "guest", one runs.
row()
{
	what="$1 on $2, $3, HPET $4, $5 MiB, $6 CPUs, $7${8:+, a guest}"
	timer=HPET hpet='' clock=--steady dom0=512M guest=
	[ "$5" != 512 ] || dom0=256M
	[ "$4" = on ] || timer=PIT hpet='--qemu-args -no-hpet'
	# counted instructions would give each CPU a tenth of a second in turn
	[ "$6" = 1 ] || clock=
	# more than the first 4 GiB hold: dom0's devices then reach only a part of it by themselves
	[ "$5" -lt 6144 ] || dom0=$(($5 - 1024))M
	[ -z "${8:-}" ] || guest='xm create -q /etc/xen/demo.cfg; for i in $(seq 60); do
		ping -c 1 -W 2 10.0.0.2 >/dev/null && echo answers && break; sleep 1; done'
	began=$(date +%s)
	# shellcheck disable=SC2086 # lists of words
	"$TOP/storevisor" run --quiet $clock --cpu "$1" --machine "$2" --firmware "$3" $hpet --memory "$5" \
		--cpus "$6" --bus "$7" --dom0-mem $dom0 --timeout 300 --log "$SCRATCH/serial.log" -- \
		"nproc; xm info | sed -n 's/^total_memory *: *//p'; xm list | grep -c '^Domain-0 '
		xm info | sed -n 's/^free_memory *: *//p'; xm list | awk '\$1 == \"Domain-0\" { print \$3 }'; $guest" \
		>"$SCRATCH/out" 2>"$SCRATCH/stderr"
	status=$?
	echo "# $what: $(($(date +%s) - began)) s"
	same "$what: it runs" "0" "$status"
	[ $status = 0 ] || tail -n 40 "$SCRATCH/stderr" | sed 's/^/# /'
	{
		read -r cpus
		read -r memory
		read -r list
		read -r free
		read -r dom0_has
		read -r answer
	} <"$SCRATCH/out"
	same "$what: all CPUs, the store and its tools${8:+, and the guest}" "$6 1${8:+ answers}" \
		"$cpus $list${answer:+ $answer}"
	# what lies below 1 MiB or is the firmware's is not counted
	if [ "${memory:-0}" -le "$5" ] && [ "${memory:-0}" -ge $(($5 * 98 / 100)) ]; then
		pass "$what: its memory is counted"
	else
		fail "$what: its memory is counted" "${memory:-nothing} MiB"
	fi
	# its own and its tables'; what fits 1 % of a small machine is less than the rest needs
	taken=$((${memory:-0} - ${free:-0} - ${dom0_has:-0}))
	echo "# $what: the hypervisor takes $taken of ${memory:-0} MiB"
	if [ "$5" -lt 2048 ] || { [ $taken -gt 0 ] && [ $taken -le $(($5 / 100)) ]; }; then
		pass "$what: the hypervisor takes at most one percent from 2 GiB on"
	else
		fail "$what: the hypervisor takes at most one percent from 2 GiB on" "$taken MiB"
	fi
	contains "$what: the clock is set by the timer there is" "calibrated by the $timer" \
		"$(cat "$SCRATCH/serial.log")"
}

if [ -n "${ALL_ROWS:-}" ]; then
	return 0
fi
row qemu64 pc bios off 512 1 virtio
row Skylake-Client pc uefi on 6144 2 ahci guest
row EPYC q35 bios on 2048 8 virtio
row max q35 uefi off 512 4 virtio
finish
