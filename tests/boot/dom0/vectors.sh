#!/bin/sh
# SPDX-License-Identifier: MIT
# dom0's half of the test of vector registers.
. /mnt/dom0/lib.sh
VECTORS=/mnt/programs/vectors
SECONDS_EACH=6

# starts NAME SEED: the sample guest, which runs two of the programs as it comes up.
starts()
{
	mkdir -p /tmp/disk && mount -o loop "/data/guests/$1.img" /tmp/disk && cp $VECTORS /tmp/disk/ &&
		printf '%s\n' "echo state \$(/mnt/vectors state)" "/mnt/vectors run $2 $SECONDS_EACH 2" >/tmp/disk/vectors.sh &&
		umount /tmp/disk && sed 's/^extra *= *"/&sv_run=vectors.sh /' "/etc/xen/$1.cfg" >"/tmp/$1.cfg" &&
		xm create -q "/tmp/$1.cfg"
}

same "dom0's Linux has enabled x87, SSE and AVX" 'xsave 7' "$($VECTORS state)"
claim "it says so" sh -c 'dmesg | grep "Enabled xstate features 0x7"'
same "Debian's cksum counts what it does elsewhere" "$(cat /mnt/programs/cksum.sum)" \
	"$(/mnt/programs/lib/ld-linux-x86-64.so.2 --library-path /mnt/programs/lib /mnt/programs/cksum </mnt/programs/cksum)"
claim "two programs in dom0" $VECTORS run 1 2 2

claim "a guest starts" starts demo 10
claim "another starts" starts cloud 20
claim "two programs in dom0 meanwhile" $VECTORS run 30 $SECONDS_EACH 2
for guest in demo:1 cloud:2; do
	name=${guest%:*}
	for seed in ${guest#*:}0 ${guest#*:}1; do
		claim "$name: program $seed runs to its end" hears "$name" 240 "^vectors $seed: rounds [0-9]+"
		claim "$name: no register was another's" said "$name" "^vectors $seed: rounds [0-9]+, wrong 0"
	done
	claim "$name has AVX enabled, too" said "$name" '^state xsave 7'
done
xm destroy cloud

# One program alone: what it has in the registers when the guest stops is nowhere else.
claim "the guest comes to its shell" hears demo 60 'guest: ready'
types demo '/mnt/vectors count 40 &'
claim "it counts" hears demo 60 '^vectors 40: round'
claim "xm save" xm save demo /tmp/demo.save
rounds=$(grep -ac '^vectors 40: round' "$(log_of demo)")
claim "programs in dom0 use all registers" $VECTORS run 50 2 2
claim "xm restore" xm restore /tmp/demo.save
claim "it counts on" hears demo 60 '^vectors 40: round' $((rounds + 3))
claim "with registers as they were" sh -c "! grep -a 'vectors 40: .*\(wrong\|ymm\)' '$(log_of demo)'"
claim "no program here or there met a fault" sh -c "! { dmesg; cat $CONSOLES/guest-*.log; } | grep -a 'trap invalid opcode\|segfault\|general protection'"
xm destroy demo
audits
