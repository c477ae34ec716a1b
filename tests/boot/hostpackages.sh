#!/bin/sh
# SPDX-License-Identifier: MIT
# hostpackages.sh - the packages storevisor and storevisor-utils in a fresh Debian, no machine: judged by lintian,
# installed, what systemd says of the units, Domain-0's and not, upgraded, removed, purged. Run by name
# only: it compiles everything, and making the root takes two minutes the first time.
[ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$0"
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
packages deb
packages package
ROOTFILE=$CACHE/debian-root.tar.zst
NEEDS=systemd,libevent-core-2.1-7,libjansson4,liblmdb0,libncursesw6,libseccomp2,gcc,libc6-dev,pkg-config
R=$SCRATCH/root

in_root() { chroot "$R" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
# claim TEXT COMMAND...: it succeeds.
claim()
{
	text=$1
	shift
	if "$@" >"$SCRATCH/out" 2>&1; then pass "$text"; else fail "$text" "status $?: $(tail -n 20 "$SCRATCH/out")"; fi
}
not() { ! "$@"; }
files() { (cd "$R" && find . -path ./proc -prune -o -path ./run -prune -o -path ./var/lib/dpkg -prune -o -path ./var/cache -prune -o -print | sort); }
# What these need of Debian is other packages' to test.
install() { in_root dpkg --force-depends -i /debs/storevisor-store.deb /debs/storevisor-utils.deb /debs/storevisor.deb; }

[ -e "$ROOTFILE" ] || {
	note "making a fresh Debian"
	debootstrapped --quiet --variant=minbase --include="$NEEDS" bookworm "$ROOTFILE.new.tar.zst" >"$SCRATCH/log" 2>&1 ||
		die "mmdebstrap failed: $(tail -n 5 "$SCRATCH/log")"
	mv "$ROOTFILE.new.tar.zst" "$ROOTFILE"
}
mkdir -p "$R" "$SCRATCH/out.d"
tar -xf "$ROOTFILE" -C "$R"
: >"$R/etc/machine-id"
mount -t proc proc "$R/proc"
if [ -n "${STOREVISOR_DEBS:-}" ]; then cp "$STOREVISOR_DEBS"/*.deb "$SCRATCH/out.d/"; else "$TOP/storevisor" deb "$SCRATCH/out.d"; fi
mkdir "$R/debs"
for deb in "$SCRATCH"/out.d/*.deb; do
	claim "lintian has nothing to say of ${deb##*/}" lintian --fail-on error,warning --tag-display-limit 0 "$deb"
	name=${deb##*/}
	cp "$deb" "$R/debs/${name%%_*}.deb"
done
mkdir -p "$R/boot" "$R/etc/default/grub.d" "$R/etc/grub.d" "$R/etc/xen"
files >"$SCRATCH/before"

claim "they install" install
claim "the user of device processes is there" in_root getent passwd xenbackend
same "xm is also xl" /usr/sbin/xm "$(in_root readlink -f /usr/sbin/xl)"
claim "and says what it can" in_root xl help
claim "the hypervisor is one that GRUB takes" sh -c "gzip -dc $R/boot/storevisor.gz >$SCRATCH/hv && grub-file --is-x86-multiboot2 $SCRATCH/hv"
claim "PV GRUB is a kernel of Xen's" grep -aq xen-3.0 "$R/usr/lib/storevisor/grub-x86_64-xen.bin"
for program in xend backendd blkback netback consback fbback kbdback; do
	same "$program finds its libraries, or those of Xen that its package asks for" "" \
		"$({ in_root ldd /usr/lib/storevisor/$program || echo "$program: not found"; } | grep 'not found' | grep -v 'libxen\|liburing\|liblzma\|liblz4\|libzstd\|libbz2\|libz\.\|libevent\|libvncserver')"
done
for name in vif-bridge vif-nat network-bridge network-nat; do
	claim "a script of theirs is where they look: $name" in_root test -x /usr/lib/storevisor/scripts/$name
done

# One boot without, one under the hypervisor.
generate()
{
	rm -rf "$R/gen"
	mkdir "$R/gen"
	in_root STOREVISOR_SYSFS=/tmp/sys /lib/systemd/system-generators/storevisor-dom0 /gen /gen /gen
}
generate
same "a boot without a hypervisor starts nothing of it" "" "$(ls "$R/gen")"
mkdir -p "$R/tmp/sys/hypervisor/properties"
echo xen >"$R/tmp/sys/hypervisor/type"
echo 00000f5d >"$R/tmp/sys/hypervisor/properties/features"
generate
same "Domain-0 starts all of it" "backendd.service proc-xen.mount storevisor-network.service xend-domains.service xend.service" \
	"$(ls "$R/gen/multi-user.target.wants" | xargs)"
mkdir -p "$R/etc/systemd/system"
cp -r "$R"/gen/. "$R/etc/systemd/system/"
claim "systemd finds no fault in it" sh -c \
	"chroot $R systemd-analyze verify --man=no xend.service backendd.service xend-domains.service storevisor-network.service proc-xen.mount xenstored.service >$SCRATCH/verify 2>&1; cat $SCRATCH/verify; ! grep -E 'xend|backendd|xenstored|proc-xen|storevisor-network' $SCRATCH/verify"
rm -rf "$R/gen" "$R/tmp/sys" "$R/etc/systemd/system/xenstored.service.d" "$R"/etc/systemd/system/multi-user.target.wants/xend* \
	"$R"/etc/systemd/system/multi-user.target.wants/backendd* "$R"/etc/systemd/system/multi-user.target.wants/proc-xen* "$R"/etc/systemd/system/multi-user.target.wants/storevisor-network* "$R/etc/systemd/system/xen.service" "$R/etc/systemd/system/xendomains.service"

claim "the same again is an upgrade" install
claim "they are removed" in_root dpkg -r storevisor storevisor-utils storevisor-store
claim "nobody is xl then" not test -e "$R/usr/sbin/xl"
claim "and purged" in_root dpkg -P storevisor storevisor-utils storevisor-store
files | grep -vE '^\./(etc/(passwd|group|shadow|gshadow|subuid|subgid)-?|var/log/.*|etc/(\.pwd\.lock))$' >"$SCRATCH/after"
same "nothing is left of them" "" "$(grep -vxFf "$SCRATCH/before" "$SCRATCH/after")"
finish
