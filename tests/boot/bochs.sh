#!/bin/sh
# SPDX-License-Identifier: MIT
# The kit's guests as dom0 on a second model of a CPU: Bochs, which orders faults as Intel and AMD do,
# has SMEP and SMAP really on, and counts its time in instructions. Run by name only: it takes
# minutes. How it differs from QEMU is in docs/guest-tests.md.
. "$(dirname "$0")/lib.sh"

# medium: GRUB2, our hypervisor, and the kit's dom0. The screen is named behind multiboot2, which asks for a
# graphics mode: GRUB does not live through that of Debian's vgabios.
medium()
{
	mkdir -p "$SCRATCH/iso/boot/grub"
	cp "$STOREVISOR_BUILD/hypervisor/storevisor.elf" "$SCRATCH/iso/boot/hypervisor"
	strip -o "$SCRATCH/iso/boot/dom0.elf" "$STOREVISOR_BUILD/tests/guests/dom0.elf"
	cat >"$SCRATCH/iso/boot/grub/grub.cfg" <<-END
		set timeout=0
		multiboot2 /boot/hypervisor dom0_mem=64M console=com1 com1=115200,8n1 loglvl=all noreboot
		set gfxpayload=text
		module2 /boot/dom0.elf
		boot
	END
	grub-mkrescue -d /usr/lib/grub/i386-pc -o "$SCRATCH/boot.iso" "$SCRATCH/iso" --locales= --themes= --fonts= \
		--install-modules="iso9660 multiboot2 normal biosdisk part_msdos" >"$SCRATCH/mkrescue.log" 2>&1
}

# configuration MODEL: without a screen, a sound card or the host's time.
configuration()
{
	cat <<-END
		cpu: model=$1, count=1, ips=50000000
		memory: guest=512, host=512
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/vgabios/vgabios.bin
		ata0-master: type=cdrom, path=$SCRATCH/boot.iso, status=inserted
		boot: cdrom
		com1: enabled=1, mode=file, dev=$SCRATCH/serial.$1
		clock: sync=none
		display_library: rfb, options="timeout=0"
		sound: driver=dummy, waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
		log: $SCRATCH/log.$1
		panic: action=fatal
		error: action=report
	END
}

# boots MODEL: until the kit's dom0 is at its end, or Bochs is, or twelve minutes have passed: two of them fit
# into what tests/run gives.
boots()
{
	configuration "$1" >"$SCRATCH/bochsrc.$1"
	: >"$SCRATCH/serial.$1"
	bochs -q -f "$SCRATCH/bochsrc.$1" -rc "$SCRATCH/commands" >"$SCRATCH/said.$1" 2>&1 </dev/null &
	bochs=$! left=720
	until grep -aqE '^.*tests: end|Panic' "$SCRATCH/serial.$1"; do
		left=$((left - 1))
		[ $left -gt 0 ] && kill -0 $bochs 2>/dev/null || break
		sleep 1
	done
	sleep 1
	kill $bochs 2>/dev/null
	wait $bochs 2>/dev/null || :
	tr -d '\r' <"$SCRATCH/serial.$1" | sed 's/^(d0) //' >"$SCRATCH/kit.$1"
}

medium || fail "a disk to boot from" "$(tail -n 5 "$SCRATCH/mkrescue.log")"
echo c >"$SCRATCH/commands" # the debugger: go on
for model in corei7_skylake_x ryzen; do
	boots $model
	contains "$model: the CPU keeps the hypervisor from guests' code and data" '^\(SV\) cpu: .*, smep, smap$' \
		"$(cat "$SCRATCH/kit.$model")"
	kit_claims "$SCRATCH/kit.$model" /dev/null "$model: "
	contains "$model: all of them were run" '^tests: end' "$(cat "$SCRATCH/kit.$model" "$SCRATCH/said.$model")"
done
finish
