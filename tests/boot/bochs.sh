#!/bin/sh
# SPDX-License-Identifier: MIT
# The kit's guests as dom0, then a Debian kernel as dom0 with guests of the kit as domUs, on a second
# model of a CPU: Bochs, which orders faults as Intel and AMD do, has SMEP and SMAP really on, and
# counts its time in instructions. Run by name only: it takes minutes. How it differs from QEMU is in
# docs/guest-tests.md.
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh" # pack
# Guests that are about what QEMU's CPU does otherwise: faults, ways in and out, tables.
DOMUS='boot user_syscall user_gates user_privileged iret_bad_stack iret_fault iret_flags iret_no_tables nmi
	trap_exceptions trap_page_fault pt_build pt_pin pt_baseptr pt_trapped_write pt_stale mmu_update fpu
	fpu_state fpu_context debug_registers ldt ldt_fault gdt segment_base stack_gone vcpu_start given_up'

# medium NAME MEMORY MODULE...: a disk with GRUB2, our hypervisor, and modules, each the words behind module2. The
# screen is named behind multiboot2, which asks for a graphics mode: GRUB does not live through that of
# Debian's vgabios.
medium()
{
	name=$1 memory=$2
	shift 2
	mkdir -p "$SCRATCH/$name/boot/grub"
	cp "$STOREVISOR_BUILD/hypervisor/storevisor.elf" "$SCRATCH/$name/boot/hypervisor"
	{
		echo 'set timeout=0'
		echo "multiboot2 /boot/hypervisor dom0_mem=$memory console=com1 com1=115200,8n1 loglvl=all noreboot"
		echo 'set gfxpayload=text'
		printf 'module2 %s\n' "$@"
		echo boot
	} >"$SCRATCH/$name/boot/grub/grub.cfg"
	grub-mkrescue -d /usr/lib/grub/i386-pc -o "$SCRATCH/$name.iso" "$SCRATCH/$name" --locales= --themes= --fonts= \
		--install-modules="iso9660 multiboot2 normal biosdisk part_msdos" >"$SCRATCH/mkrescue.log" 2>&1 ||
		fail "a disk to boot from" "$(tail -n 5 "$SCRATCH/mkrescue.log")"
}

# kit_medium: the kit's dom0 alone.
kit_medium()
{
	mkdir -p "$SCRATCH/kit/boot"
	strip -o "$SCRATCH/kit/boot/dom0.elf" "$STOREVISOR_BUILD/tests/guests/dom0.elf"
	medium kit 64M /boot/dom0.elf
}

# debian_medium: Debian's kernel, our image's programs, and what dom0/bochs.sh runs.
debian_medium()
{
	mkdir -p "$SCRATCH/debian/boot" "$SCRATCH/overlay/kit"
	for name in $DOMUS; do
		strip -o "$SCRATCH/overlay/kit/$name.elf" "$STOREVISOR_BUILD/tests/guests/guest-$name.elf" ||
			fail "guest $name is there"
	done
	cc -O1 -static -o "$SCRATCH/overlay/kit/usermode" "$TOP/tests/guests/usermode.c"
	mkdir "$SCRATCH/overlay/kit/lib"
	cp "$STOREVISOR_BUILD/tests/guests/guestrun" "$SCRATCH/overlay/kit/"
	ldd "$STOREVISOR_BUILD/tests/guests/guestrun" | awk '$3 ~ /^\// { print $3 }' |
		xargs -I LIBRARY cp -L LIBRARY "$SCRATCH/overlay/kit/lib/" || fail "guestrun has its libraries"
	install -m 755 "$TOP/tests/boot/dom0/bochs.sh" "$SCRATCH/overlay/bochs"
	pack "$SCRATCH/overlay" "$SCRATCH/overlay.cpio" || fail "the programs are packed"
	cp -L "$IMAGE/vmlinuz" "$SCRATCH/debian/boot/vmlinuz"
	cat "$SCRATCH/overlay.cpio" "$IMAGE/base.zst" >"$SCRATCH/debian/boot/initrd"
	medium debian 320M '/boot/vmlinuz console=hvc0 panic=1 quiet rdinit=/bochs' /boot/initrd
}

# configuration MODEL DISK: without a screen, a sound card or the host's time.
configuration()
{
	cat <<-END
		cpu: model=$1, count=1, ips=50000000
		memory: guest=512, host=512
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/vgabios/vgabios.bin
		ata0-master: type=cdrom, path=$SCRATCH/$2.iso, status=inserted
		boot: cdrom
		com1: enabled=1, mode=file, dev=$SCRATCH/serial.$2.$1
		clock: sync=none
		display_library: rfb, options="timeout=0"
		sound: driver=dummy, waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
		log: $SCRATCH/log.$2.$1
		panic: action=fatal
		error: action=report
	END
}

# spent PID: seconds of the host's CPUs that it has had; more than there are when it is gone.
spent()
{
	{ read -r _ _ _ _ _ _ _ _ _ _ _ _ _ user system _ <"/proc/$1/stat"; } 2>/dev/null || user=999999999 system=0
	echo $(((user + system) / $(getconf CLK_TCK)))
}

# boots MODEL DISK SECONDS: until what is on the disk is at its end, or Bochs is, or has had the CPU for so long; what
# was said is in $SCRATCH/DISK.MODEL.
boots()
{
	configuration "$1" "$2" >"$SCRATCH/bochsrc"
	: >"$SCRATCH/serial.$2.$1"
	bochs -q -f "$SCRATCH/bochsrc" -rc "$SCRATCH/commands" >"$SCRATCH/said.$1" 2>&1 </dev/null &
	bochs=$!
	until grep -aqE '^.*(tests|debian): end|Panic|Kernel panic' "$SCRATCH/serial.$2.$1"; do
		[ "$(spent $bochs)" -lt "$3" ] || break
		sleep 1
	done
	sleep 1
	kill $bochs 2>/dev/null
	wait $bochs 2>/dev/null || :
	tr -d '\r' <"$SCRATCH/serial.$2.$1" | sed 's/^(d0) //' >"$SCRATCH/$2.$1"
}

# guest_claims FILE PREFIX: what guestrun and the program of usermode.c say in it.
guest_claims()
{
	while IFS= read -r line; do
		case $line in
		'ok '* | 'usermode: ok '*) pass "$2${line#*ok * - }" ;;
		'not ok '* | 'usermode: not ok '*) fail "$2${line#*ok * - }" ;;
		esac
	done <"$1"
}

kit_medium
debian_medium
echo c >"$SCRATCH/commands" # the debugger: go on
for model in corei7_skylake_x ryzen; do
	boots $model kit 720
	said=$SCRATCH/kit.$model
	contains "$model: the CPU keeps the hypervisor from guests' code and data" '^\(SV\) cpu: .*, smep, smap$' \
		"$(cat "$said")"
	kit_claims "$said" /dev/null "$model: "
	contains "$model: all of them were run" '^tests: end' "$(cat "$said" "$SCRATCH/said.$model")"
done
for model in corei7_skylake_x ryzen; do
	boots $model debian "${BOCHS_SECONDS:-1800}"
	said=$SCRATCH/debian.$model
	contains "$model: Debian's kernel runs programs as dom0" '^debian: Linux 6' "$(grep -E '^debian:|panic' "$said")"
	contains "$model: which compute what they compute elsewhere" \
		"^debian: sum $(seq 2000 | sha256sum | cut -c 1-8)" "$(grep debian: "$said")"
	contains "$model: and fork" '^debian: pipes 1 2 3 4 5 6 7 8$' "$(grep debian: "$said")"
	guest_claims "$said" "$model, under Debian: "
	same "$model: every guest was judged" "$(ls "$SCRATCH/overlay/kit"/*.elf | wc -l)" \
		"$(grep -cE '^(not )?ok ' "$said")"
	same "$model: the kernel met no fault of its own" '' "$(grep '^trouble:' "$said")"
	contains "$model: all of it was run" '^debian: end' "$(tail -n 5 "$said" "$SCRATCH/said.$model")"
done
finish
