#!/bin/sh
# SPDX-License-Identifier: MIT
# Each bad configuration is tried twice between two inventories that must agree.
. /mnt/dom0/lib.sh

# bad NAME SED-SCRIPT: the cloud guest's configuration with one thing wrong.
bad() { sed -e 's/^name = .*/name = "bad"/' -e "$2" /etc/xen/cloud.cfg >"/tmp/$1.cfg"; }

# refused TEXT FILE PATTERN: xm create fails with one fitting error, and leaves no trace.
refused()
{
	before=$(inventory)
	claim "$1: one clear error" fails_with "$3" xm create "$2"
	sed 's/^/# said: /' /tmp/fw.out | head -n 3
	claim "$1: the same again" fails_with "$3" xm create "$2"
	claim "$1: no such domain" gone bad
	until_true 10 sh -c '. /mnt/dom0/lib.sh; trap - EXIT; [ "$(inventory)" = "'"$before"'" ]' >/dev/null 2>&1
	same "$1: nothing leaked" "$before" "$(inventory)"
}

head -c 3000000 /usr/share/storevisor/vmlinuz-cloud >/tmp/truncated
cp /bin/busybox /tmp/not-xen
echo "not a kernel" >/tmp/text

bad truncated 's#^kernel = .*#kernel = "/tmp/truncated"#'
refused "a truncated kernel" /tmp/truncated.cfg 'truncated'
bad notxen 's#^kernel = .*#kernel = "/tmp/not-xen"#'
refused "a kernel that is not for Xen" /tmp/notxen.cfg 'not-xen'
bad text 's#^kernel = .*#kernel = "/tmp/text"#'
refused "a kernel that is a text file" /tmp/text.cfg '/tmp/text'
bad nokernel 's#^kernel = .*#kernel = "/nowhere/vmlinuz"#'
refused "a missing kernel" /tmp/nokernel.cfg '/nowhere/vmlinuz'
bad nodisk 's#file:/data/guests/cloud.img#file:/data/guests/missing.img#'
refused "a missing disk" /tmp/nodisk.cfg 'missing\.img'
bad nobridge 's#bridge=xenbr0#bridge=nobridge0#'
refused "a bridge that does not exist" /tmp/nobridge.cfg 'nobridge0'
bad badkey '$a memroy = 128'
refused "an unknown key" /tmp/badkey.cfg 'memroy'
claim "an unknown key names file and line" grep -qE '/tmp/badkey.cfg.*[0-9]+' /tmp/fw.out
bad nomem 's/^memory = .*/memory = 100000/'
refused "more memory than the machine has" /tmp/nomem.cfg '[Mm]emory'
claim "the shortfall is named in MiB" grep -qE '[0-9]+ MiB' /tmp/fw.out

claim "a disk in use by another guest" sh -c '
	. /mnt/dom0/lib.sh; trap - EXIT; xm create /etc/xen/cloud.cfg &&
	sed "s/^name = .*/name = \"bad\"/" /etc/xen/cloud.cfg >/tmp/locked.cfg &&
	fails_with "cloud.img" xm create /tmp/locked.cfg; s=$?; xm destroy cloud; exit $s'
claim "and both are gone" until_true 10 gone cloud

# A full disk under the store: writes fail with one error, reads and deletes go on, and space given
# back heals it.
xs write /config/test/before full >/dev/null
size=900
while [ $size -gt 0 ]; do
	fallocate -l "$(($(df -m /data | awk 'END { print $4 }') * 1048576))" "/data/filler.$size" 2>/dev/null
	size=$((size - 300))
done
dd if=/dev/zero of=/data/filler bs=4k 2>/dev/null
# More than the store has allocated ahead, a thousand keys at a time.
fill_store()
{
	for batch in $(seq 80); do
		awk -v batch="$batch" 'BEGIN {
			value = "x"
			while (length(value) < 1024)
				value = value value
			printf "{\"config\":{\"test\":{\"fill\":{\"%s\":{", batch
			for (i = 0; i < 1000; i++)
				printf "%s\"%d\":\"%s\"", i ? "," : "", i, value
			print "}}}}}"
		}' >/tmp/fill.json
		xs import /tmp/fill.json || return 1
	done
	return 0
}
claim "a full disk under the store refuses a write" fails_with 'space|full|quota' fill_store
sed 's/^/# said: /' /tmp/fw.out | tail -n 2
same "reads go on" full "$(xs read /config/test/before)"
claim "a removal goes on" xs rm /config/test/fill
rm -f /data/filler*
sync
claim "with space again writes go on" until_true 10 xs write /config/test/after yes
claim "and a guest starts" xm create /etc/xen/cloud.cfg
claim "and ends" xm destroy cloud
