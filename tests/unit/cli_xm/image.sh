#!/bin/sh
# SPDX-License-Identifier: MIT
# image.sh XENSTORED XM XS XEND_FAKE SCRIPTS - xm image with the real store, xend and Debian's tools: disks of small
# archives, read by debugfs; what is refused, and what an archive that means harm can do.
# Stand-ins: mmdebstrap, and LVM's tools, for which a file is a volume.
set -u
xenstored=$(realpath "$1") xs_prog=$(realpath "$3") xend_fake=$(realpath "$4") n=0 failed=0
dir=$(mktemp -d /tmp/xm-image.XXXXXX)
trap 'exec 9>&-; kill $store_pid 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
mkdir -p "$dir/sbin" "$dir/lib/storevisor" "$dir/bin" "$dir/run" "$dir/state" "$dir/out" "$dir/outside" "$dir/tmp"
# as it is installed: the program of disks is found beside xm
cp "$2" "$dir/sbin/xm"
cp "$5/guest-disk" "$5/guest-root" "$dir/lib/storevisor/"
ln -s "$xs_prog" "$dir/bin/xs"
# what an archive reaches may not fail for the want of rights alone
chmod 711 "$dir"
chmod 777 "$dir/outside"
PATH=$dir/bin:$dir/sbin:$PATH:/usr/sbin:/sbin XENSTORED_PATH=$dir/run/socket
export PATH XENSTORED_PATH TMPDIR="$dir/tmp"

# claim TEXT COMMAND...: one test point.
claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/said.out" 2>"$dir/said.err"; then
		echo "ok $n - $text"
	else
		echo "not ok $n - $text"
		sed 's/^/# /' "$dir/said.out" "$dir/said.err"
		failed=1
	fi
}
until_true() { for _ in $(seq 4800); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; return 1; }
# nothing: no disk, no file on the way to one, no record.
nothing() { [ -z "$(ls -A "$dir/out")" ] && [ -z "$(xs list /config/domain 2>/dev/null)" ]; }
# refuses STATUS PATTERN COMMAND...: it ends so, with one error that has the pattern.
refuses()
{
	wanted=$1 pattern=$2 status=0
	shift 2
	"$@" >"$dir/refused" 2>&1 </dev/null || status=$?
	cat "$dir/refused"
	[ $status = "$wanted" ] && grep -qE -- "^Error: .*($pattern)" "$dir/refused" &&
		[ "$(grep -c '^Error' "$dir/refused")" = 1 ]
}
# claim_refused TEXT STATUS PATTERN WORD...: so does xm image with these words, and leaves nothing.
claim_refused()
{
	text=$1 wanted=$2 pattern=$3
	shift 3
	claim "$text" refuses "$wanted" "$pattern" xm image web "$@"
	nothing || claim "$text: nothing is left" nothing
}
# of IMAGE PATH: what a file of the disk says.
of() { debugfs -R "cat $2" "$1" 2>/dev/null; }
# mode_of IMAGE PATH: mode, user and group.
mode_of() { debugfs -R "stat $2" "$1" 2>/dev/null | awk '/Mode:/ { for (i = 1; i < NF; i++) if ($i == "Mode:") m = $(i + 1) } /^User:/ { print m, $2, $4; exit }'; }
new() { xm image "$@" --file "$dir/out/$1.img" --size 32M; }

"$xenstored" -D -N --run-dir "$dir/run" --state-dir "$dir/state" >"$dir/store.log" 2>&1 &
store_pid=$!
until_true xs exists /
mkfifo "$dir/life"
"$xend_fake" "$dir/kernel" 512 <"$dir/life" >"$dir/ready" 2>"$dir/xend.log" &
exec 9>"$dir/life"
until_true grep -q ready "$dir/ready"

# --- a root file system as small as one can be ---
root=$dir/root
mkdir -p "$root/boot/grub" "$root/dev" "$root/etc/network" "$root/etc/ssh" "$root/usr/sbin" "$root/root"
echo kernel >"$root/boot/vmlinuz-6.1.0-9-amd64"
echo kernel >"$root/boot/vmlinuz-6.1.0-10-amd64"
echo initrd >"$root/boot/initrd.img-6.1.0-10-amd64"
echo 'menu of another disk' >"$root/boot/grub/grub.cfg"
echo '/dev/sda1 / ext4' >"$root/etc/fstab"
printf 'root:secret:1:0:99999:7:::\nbin:*:1:0:99999:7:::\n' >"$root/etc/shadow"
printf '127.0.0.1 localhost\n127.0.1.1 old\n' >"$root/etc/hosts"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
echo 'the key of another machine' >"$root/etc/ssh/ssh_host_rsa_key"
for program in ifup sshd grub-mkconfig; do echo program >"$root/usr/sbin/$program"; done
chown 0:42 "$root/etc/shadow"
chmod 640 "$root/etc/shadow"
chown 33:1234 "$root/boot/vmlinuz-6.1.0-9-amd64"
mknod "$root/dev/sda" b 8 0
tar -cf "$dir/root.tar" -C "$root" .
gzip -k "$dir/root.tar"
xz -k "$dir/root.tar"
zstd -q "$dir/root.tar"
ssh-keygen -q -t ed25519 -N '' -f "$dir/key"

# --- what is refused, before any work ---
claim_refused "one source is wanted" 2 'one of --debian, --from, --from-disk and --grow'
claim_refused "and no two" 2 'one of --debian' --debian bookworm --from "$dir/root.tar"
claim_refused "a size is one" 2 '16M to 16T' --from "$dir/root.tar" --size 4
claim_refused "a release is a word" 2 'such as bookworm' --debian ../x
claim_refused "a mirror is a URL" 2 'http:, https:' --debian bookworm --mirror -x
claim_refused "a volume has a group" 2 'such as vg0/web' --from "$dir/root.tar" --volume web
claim_refused "a disk is a file or a volume" 2 'one of both' --from "$dir/root.tar" --volume v/w --file "$dir/out/x"
claim_refused "a host's name is one" 2 'letters, digits' --from "$dir/root.tar" --hostname 'a b'
claim_refused "an archive that is not there" 1 'cannot read .*/none: No such file' --from "$dir/none"
claim_refused "a folder" 1 'is a folder' --from "$root"
claim_refused "a path that no record can have" 1 'no quotes' --from "$dir/root.tar" --file "$dir/out/a,b"
claim_refused "a secret key is not given away" 1 'give the public one' --from "$dir/root.tar" --ssh-key "$dir/key"
claim_refused "a password that did not come" 1 'no password came' --from "$dir/root.tar" --password-stdin
claim_refused "memory that is none" 1 'memory' --from "$dir/root.tar" --file "$dir/out/web.img" --memory lots
claim_refused "a folder that cannot be made" 1 'no such folder' --from "$dir/root.tar" --file /proc/none/web.img
claim "a name that is none" refuses 1 'the name' xm image 1 --from "$dir/root.tar"

# --- archives that are none, or too much ---
yes noise | head -c 4096 >"$dir/noise"
head -c 200 "$dir/root.tar.xz" >"$dir/cut.xz"
tar -cf "$dir/empty.tar" -C "$dir" noise
head -c 40M /dev/zero >"$root/zeros"
tar -czf "$dir/much.tar.gz" -C "$root" .
rm "$root/zeros"
mkdir "$dir/small"
cp -a "$root/etc" "$dir/small/"
tar -cf "$dir/nokernel.tar" -C "$dir/small" .
# a kernel as PV GRUB cannot unpack it: the header of Linux' boot protocol, then LZ4
mkdir "$dir/small/boot"
perl -e 'print "\0" x 497, "\2", "\0" x 16, "HdrS\x0f\2", "\0" x 64, pack("V", 16), "\0" x (3 * 512 + 16 - 588), "\x02\x21\x4c\x18"' \
	>"$dir/small/boot/vmlinuz-6"
tar -cf "$dir/lz4.tar" -C "$dir/small" .
from() { echo "--from $1 --file $dir/out/web.img --size 32M"; }
# shellcheck disable=SC2046 # words
{
	claim_refused "noise" 1 'noise is no tar archive' $(from "$dir/noise")
	claim_refused "half an archive" 1 'cut.xz (is damaged|cannot be unpacked)' $(from "$dir/cut.xz")
	claim_refused "no root file system" 1 'no etc/ at its top' $(from "$dir/empty.tar")
	claim_refused "no kernel" 1 'no kernel in boot/' $(from "$dir/nokernel.tar")
	claim_refused "one that PV GRUB cannot unpack" 1 'packed by LZ4, which PV GRUB cannot undo' $(from "$dir/lz4.tar")
	claim_refused "more than the disk, packed small" 1 'more than the disk of 32 MiB: say a larger --size' $(from "$dir/much.tar.gz")
}

# --- archives that mean harm: what they lead to is open to everybody, and stays empty ---
python3 - "$dir" <<'END'
import io, sys, tarfile
top = sys.argv[1]
out = top + "/outside"
def archive(name, *entries):
    with tarfile.open(f"{top}/{name}.tar", "w") as tar, tarfile.open(f"{top}/root.tar") as root:
        names = {e[0].strip("/") for e in entries}
        for member in root.getmembers():
            plain = member.name.removeprefix("./")
            if member.ischr() or member.isblk() or any(plain == n or plain.startswith(n + "/") for n in names):
                continue
            tar.addfile(member, root.extractfile(member) if member.isreg() else None)
        for path, kind, target in entries:
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode = kind, 0o777
            if kind == tarfile.REGTYPE:
                data = target.encode()
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
                continue
            entry.linkname = target
            entry.devmajor, entry.devminor = 8, 0
            tar.addfile(entry)
F, S, H, B = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.BLKTYPE
archive("etc", ("etc", S, "/etc"))
archive("boot", ("boot", S, out), ("boot/vmlinuz-1", F, "x"))
archive("grub", ("boot/grub", S, out))
archive("network", ("etc/network", S, out))
archive("ssh", ("etc/ssh", S, out))
archive("home", ("root", S, out))
archive("device", ("x/sda", B, ""))
archive("through", ("a", S, out), ("a/file", F, "x"))
archive("up", ("../../outside/up", F, "x"), (f"{out}/absolute", F, "x"))
archive("hard", ("x", H, top + "/secret"))
archive("links", ("etc/fstab", S, out + "/fstab"), ("etc/hosts", S, out + "/hosts"), ("etc/hostname", S, out + "/hostname"),
        ("etc/shadow", S, top + "/secret"), ("boot/grub/grub.cfg", S, out + "/grub.cfg"), ("etc/machine-id", S, out + "/id"),
        ("boot/vmlinuz-7", S, top + "/secret"))
END
echo 'root:of this host:' >"$dir/secret"
chmod 644 "$dir/secret"
# shellcheck disable=SC2046
{
	claim_refused "etc is this host's" 1 'no etc/ at its top' $(from "$dir/etc.tar")
	claim_refused "boot leads out" 1 '/boot is a symbolic link|cannot be unpacked' $(from "$dir/boot.tar")
	claim_refused "the menu's folder does" 1 '/boot/grub is a symbolic link' $(from "$dir/grub.tar")
	claim_refused "the network's does" 1 '/etc/network is a symbolic link' $(from "$dir/network.tar")
	claim_refused "that of sshd's keys does" 1 '/etc/ssh is a symbolic link' $(from "$dir/ssh.tar")
	claim_refused "root's home does" 1 '/root is a symbolic link' $(from "$dir/home.tar") --ssh-key "$dir/key.pub"
	claim_refused "a disk of this host" 1 'a device node outside of dev/: x/sda' $(from "$dir/device.tar")
	claim_refused "a file through a link" 1 'cannot be unpacked' $(from "$dir/through.tar")
	claim_refused "names that lead up" 1 'cannot be unpacked' $(from "$dir/up.tar")
	claim_refused "a second name of this host's file" 1 'cannot be unpacked' $(from "$dir/hard.tar")
}
claim "links for files that are written" new links --from "$dir/links.tar"
claim "are no ways out, nor is what they name in the guest" sh -c '
	! debugfs -R "cat /etc/shadow" "$1/out/links.img" 2>/dev/null | grep host && ! debugfs -R "cat /boot/grub/grub.cfg" "$1/out/links.img" 2>/dev/null | grep vmlinuz-7' sh "$dir"
claim "nothing has come out of any" sh -c '[ -z "$(ls -A "$1/outside")" ] && grep -qx "root:of this host:" "$1/secret"' sh "$dir"
xm delete links
rm "$dir/out/links.img"

# --- a disk and its record ---
image=$dir/out/web.img
claim "a disk of an archive" sh -c 'echo sesame | xm image web --from "$1/root.tar.xz" --file "$1/out/web.img" --size 64M \
	--ssh-key "$1/key.pub" --password-stdin --memory 256 --vcpus 2 --bridge br7' sh "$dir"
claim "the record says it" sh -c '
	for key in disk/0/target=file:$1 disk/0/vdev=xvda disk/0/mode=w memory=256 vcpus=2 vif/0/bridge=br7 persistent=1 power=off \
		kernel=/usr/lib/storevisor/grub-x86_64-xen.bin; do
		[ "$(xs read /config/domain/web/${key%%=*})" = "${key#*=}" ] || { echo "$key"; exit 1; }
	done' sh "$image"
claim "its file system is whole" e2fsck -f -n "$image"
claim "the disk is root's alone" test "$(stat -c '%a %u %s' "$image")" = "600 0 67108864"
claim "nothing else is there" test "$(ls -A "$dir/out")" = web.img
is() { claim "$1" test "$2" = "$3"; }
is "the menu has the newest kernel first, and no initial root that is not there" \
	"6.1.0-10-amd64 initrd.img-6.1.0-10-amd64 6.1.0-9-amd64" \
	"$(of "$image" /boot/grub/grub.cfg | sed -n 's|.*linux /boot/vmlinuz-\([^ ]*\) root=/dev/xvda ro console=hvc0 .*|\1|p; s|.*initrd /boot/||p' | xargs)"
is "the menu that was there is beside it" "menu of another disk" "$(of "$image" /boot/grub/grub.cfg.before)"
is "fstab" "/dev/xvda / ext4 errors=remount-ro 0 1" "$(of "$image" /etc/fstab | xargs)"
is "hostname" web "$(of "$image" /etc/hostname)"
is "hosts" "127.0.0.1 localhost 127.0.1.1 web" "$(of "$image" /etc/hosts | xargs)"
is "network" "allow-hotplug eth0 iface eth0 inet dhcp" "$(of "$image" /etc/network/interfaces | tail -n 2 | xargs)"
is "update-grub will keep the console" "GRUB_CMDLINE_LINUX=console=hvc0 net.ifnames=0" "$(of "$image" /etc/default/grub.d/xm-image.cfg | tail -n 1 | tr -d \")"
is "the key" "$(cat "$dir/key.pub")" "$(of "$image" /root/.ssh/authorized_keys)"
is "is root's" "0600 0 0" "$(mode_of "$image" /root/.ssh/authorized_keys)"
is "owners and modes are the archive's" "0640 0 42" "$(mode_of "$image" /etc/shadow)"
is "all of them" "0644 33 1234" "$(mode_of "$image" /boot/vmlinuz-6.1.0-9-amd64)"
claim "the password" perl -e 'exit !(crypt("sesame", $ARGV[0]) eq $ARGV[0])' "$(of "$image" /etc/shadow | awk -F: '$1 == "root" { print $2 }')"
claim "sshd's keys are its own" sh -c '! debugfs -R "cat /etc/ssh/ssh_host_rsa_key" "$1" 2>/dev/null | grep another && debugfs -R "cat /etc/ssh/ssh_host_ed25519_key" "$1" 2>/dev/null | grep -q PRIVATE' sh "$image"
is "so is the machine's number" "" "$(of "$image" /etc/machine-id)"
is "no device came along" "" "$(debugfs -R 'ls -p /dev' "$image" 2>/dev/null | grep sda)"

# --- what is there stays ---
before=$(sha256sum "$image")
claim "the name is taken" refuses 1 "stored record of that name" xm image web --from "$dir/root.tar" --file "$dir/out/2.img"
claim "the file is" refuses 1 "web.img is there already" xm image two --from "$dir/root.tar" --file "$image"
claim "neither is changed" test "$before $(ls -A "$dir/out")" = "$(sha256sum "$image") web.img"

# --- longer ---
claim "a size that is less" refuses 1 'can only be made longer' xm image web --grow 32M
claim "grow" xm image web --grow 128M
is "the file is longer" 134217728 "$(stat -c %s "$image")"
is "and its file system" 134217728 "$(dumpe2fs -h "$image" 2>/dev/null | awk '/^Block count/ { b = $3 } /^Block size/ { print b * $3 }')"
claim "which is whole" e2fsck -f -n "$image"
# who is interrupted while the file system becomes longer has it, and no half of it
real=$(command -v resize2fs)
printf '#!/bin/sh\n: >"%s/began"; until [ -e "%s/go" ]; do sleep 0.05; done; exec %s "$@"\n' "$dir/outside" "$dir/outside" "$real" >"$dir/bin/resize2fs"
chmod +x "$dir/bin/resize2fs"
xm image web --grow 160M >"$dir/longer" 2>&1 &
growing=$!
until_true test -e "$dir/outside/began"
kill -TERM "-$(pgrep -P $growing)" # all of guest-disk, as xm does
: >"$dir/outside/go"
status=0
wait $growing || status=$?
is "one who is interrupted then has it all" "0 167772160" "$status $(dumpe2fs -h "$image" 2>/dev/null | awk '/^Block count/ { b = $3 } /^Block size/ { print b * $3 }')"
rm "$dir/bin/resize2fs" "$dir/outside/began" "$dir/outside/go"
claim "who holds it as a guest's process does keeps it" flock -x "$image" sh -c 'xm image web --grow 256M 2>&1 | grep "is in use"'
xs write /config/domain/web/kernel "$dir/kernel"
claim "the record starts" xm start web
claim "a disk of one that runs is not made longer" refuses 1 "web is not off: 'xm shutdown -w web' first" xm image web --grow 256M
xm destroy web
claim "other options have no meaning with it" refuses 2 '--memory has no meaning with --grow' xm image web --grow 256M --memory 3
claim "nor is there a disk of nobody" refuses 1 "nobody" xm image nobody --grow 1G
xm delete web
claim "delete leaves the disk" test -f "$image"

# --- a disk that is there ---
claim "a disk as it is" xm image web --from-disk "$image" --memory 128
is "is the record's" "file:$image 128" "$(xs read /config/domain/web/disk/0/target) $(xs read /config/domain/web/memory)"
xm delete web
claim "nothing can be put into it" refuses 2 '--ssh-key has no meaning with --from-disk' xm image web --from-disk "$image" --ssh-key "$dir/key.pub"
truncate -s 32M "$dir/parts"
printf 'label: gpt\nsize=4M\n' | sfdisk -q "$dir/parts"
claim "with partitions" xm image parts --from-disk "$dir/parts"
claim_says() { "$@" 2>&1 | grep -F "the disk is longer; it has partitions"; }
claim "it is made longer, and the rest is told to be the guest's" claim_says xm image parts --grow 40M
is "it is" 41943040 "$(stat -c %s "$dir/parts")"
xs write /config/domain/parts/disk/0/format vhd
claim "an image whose file is not the disk's bytes is not made longer" refuses 1 "is a vhd: 'qemu-img resize'" xm image parts --grow 48M
is "nor its file" 41943040 "$(stat -c %s "$dir/parts")"
xs rm /config/domain/parts/disk/0/format
rm "$dir/parts"
claim "one that is gone" refuses 1 'parts is not there' xm image parts --grow 48M
xm delete parts
printf 'QFI\373\0\0\0\3 and so on' >"$dir/disk.qcow2"
claim "one in another format" refuses 1 'is a qcow2: .qemu-img convert -O raw' xm image web --from-disk "$dir/disk.qcow2"
rm "$image"

# --- a volume of LVM: the file $dir/volume, there while it is ---
cat >"$dir/bin/lvs" <<END
#!/bin/sh
[ -e "$dir/volume" ] || exit 5
case \$* in
*lv_path*) echo "  $dir/volume" ;;
*lv_device_open*) cat "$dir/open" ;;
*lv_size*) stat -c '  %s' "$dir/volume" ;;
esac
END
cat >"$dir/bin/lvcreate" <<END
#!/bin/sh
case "\$*" in *'-L 33554432b -n web v0') truncate -s 32M "$dir/volume" ;; *) echo "  no room in v0" >&2; exit 5 ;; esac
END
printf '#!/bin/sh\nflock -n "%s" rm "%s" # LVM removes none that is open\n' "$dir/volume" "$dir/volume" >"$dir/bin/lvremove"
: >"$dir/open"
chmod +x "$dir/bin/lvs" "$dir/bin/lvcreate" "$dir/bin/lvremove"
volume() { xm image web --volume v0/web "$@"; }
claim "a volume that there is no room for" refuses 1 'v0/web cannot be made: +no room in v0' volume --from "$dir/root.tar" --size 64M
claim "what fails takes the volume it made with it" refuses 1 'no kernel in boot/' volume --from "$dir/nokernel.tar" --size 32M
claim "it is gone" sh -c '[ ! -e "$1/volume" ]' sh "$dir"
claim "a new volume" volume --from "$dir/root.tar" --size 32M
is "is the record's" "phy:$dir/volume" "$(xs read /config/domain/web/disk/0/target)"
claim "its file system is whole" e2fsck -f -n "$dir/volume"
is "and has what it shall" web "$(of "$dir/volume" /etc/hostname)"
xm delete web
claim "one with data on it is not written over" refuses 1 'v0/web holds data \(ext4\): wipefs -a' volume --from "$dir/root.tar"
printf _BHRfS_M | dd of="$dir/volume" bs=1 seek=65600 conv=notrunc status=none
claim "nor one with two kinds of data" refuses 1 'v0/web holds data \((ext4 btrfs|btrfs ext4)\)' volume --from "$dir/root.tar"
printf '\0\0\0\0\0\0\0\0' | dd of="$dir/volume" bs=1 seek=65600 conv=notrunc status=none
claim "an empty one says its size itself" refuses 1 'is there already, so --size is not' volume --from "$dir/root.tar" --size 32M
head -c 32M /dev/urandom >"$dir/volume"
echo open >"$dir/open"
claim "one that is open" refuses 1 'v0/web is in use' volume --from "$dir/root.tar"
: >"$dir/open"
claim "what fails leaves one that was there" refuses 1 'no kernel in boot/' volume --from "$dir/nokernel.tar"
xm image other --from-disk "$dir/noise"
xs write /config/domain/other/disk/0/target phy:/dev/v0/web
claim "one that another domain has, whatever is on it" refuses 1 "/dev/v0/web is other's already" volume --from "$dir/root.tar"
xm delete other
claim "an empty volume, whatever its blocks were" volume --from "$dir/root.tar"
claim "its file system is whole, too" e2fsck -f -n "$dir/volume"
is "and has the file of the archive" kernel "$(of "$dir/volume" /boot/vmlinuz-6.1.0-9-amd64)"
xm delete web
is "no work is left" "" "$(ls -A "$TMPDIR")"

# --- a Debian, by a stand-in for mmdebstrap ---
cat >"$dir/bin/mmdebstrap" <<END
#!/bin/sh
echo "\$*" >"$dir/asked"
for word; do case \$word in */base.tar) target=\$word ;; esac; done
case \$* in
*' broken '*) echo 'W: hm'; echo 'E: no such release' >&2; exit 1 ;;
*' endless '*) : >"$dir/began"; exec sleep 1000 ;;
esac
cp "$dir/root.tar" "\$target"
END
chmod +x "$dir/bin/mmdebstrap"
claim "a Debian" new deb --debian bookworm --mirror http://deb.example.org/debian
claim "mmdebstrap is told what it needs" grep -E -- '--include=.*openssh-server.*linux-image-amd64 bookworm .*/base.tar http://deb.example.org/debian$' "$dir/asked"
is "without a password none will do" '*' "$(of "$dir/out/deb.img" /etc/shadow | awk -F: '$1 == "root" { print $2 }')"
is "a card without a bridge has the host's" xenbr0 "$(xs read /config/domain/deb/vif/0/bridge)"
xm delete deb
rm "$dir/out/deb.img"
claim_refused "what mmdebstrap complains of is told" 1 'cannot make a broken: E: no such release' --debian broken --file "$dir/out/web.img"
xm image web --debian endless --file "$dir/out/web.img" >"$dir/endless" 2>&1 &
making=$!
until_true test -e "$dir/began"
kill -TERM $making
status=0
wait $making || status=$?
is "one that is interrupted says so" "130 1" "$status $(grep -c '^Error: interrupted; nothing is left' "$dir/endless")"
claim "and nothing is left" nothing
# nor of one that has no time for it, when the next one has come
rm -f "$dir/began"
xm image first --debian endless --file "$dir/out/web.img" --size 32M >"$dir/endless" 2>&1 &
making=$!
until_true test -e "$dir/began"
claim "the folder of one that runs" sh -c 'ls -d "$1"/out/.xm-image.*' sh "$dir"
claim "is left to it by another" new other --from "$dir/root.tar"
claim "whole" sh -c 'ls -d "$1"/out/.xm-image.*' sh "$dir"
xm delete other && rm "$dir/out/other.img"
kill -KILL "-$(pgrep -P $making)" $making
wait $making
mkdir "$dir/out/.xm-image.mallory"
chown 1234 "$dir/out/.xm-image.mallory"
claim "one that was killed leaves it" sh -c 'ls -d "$1"/out/.xm-image.??????' sh "$dir"
claim "the next one" new other --from "$dir/root.tar"
is "removes it, and no other user's" .xm-image.mallory "$(ls -A "$dir/out" | grep -v other.img)"
xm delete other && rm -r "$dir/out/other.img" "$dir/out/.xm-image.mallory"
rm -f "$dir/began"
# two with one volume: the first has it, also while nothing is on it yet
rm -f "$dir/began" "$dir/volume"
truncate -s 32M "$dir/volume"
xm image first --debian endless --volume v0/web >"$dir/endless" 2>&1 &
making=$!
until_true test -e "$dir/began"
claim "a second disk on the volume" refuses 1 'v0/web is in use' volume --from "$dir/root.tar"
kill -TERM $making
wait $making
claim "it stays as it was when the first is interrupted" sh -c 'cmp -n 33554432 "$1/volume" /dev/zero' sh "$dir"
rm "$dir/began" "$dir/volume"
xm image first --debian endless --volume v0/web --size 32M >"$dir/endless" 2>&1 &
making=$!
until_true test -e "$dir/began"
claim "nor has it one that is new" refuses 1 'v0/web is in use' volume --from "$dir/root.tar"
kill -TERM $making
wait $making
claim "which goes" test ! -e "$dir/volume"
# somebody writes to it by hand meanwhile
truncate -s 32M "$dir/volume"
sed -i "s|^cp |mke2fs -q -F -L theirs $dir/volume; cp |" "$dir/bin/mmdebstrap"
claim "what has come to be on a volume meanwhile" refuses 1 'v0/web holds data \(ext2\)' volume --debian bookworm
is "stays" theirs "$(e2label "$dir/volume")"
rm "$dir/volume" "$dir/bin/mmdebstrap"
mkdir "$dir/few"
cp -rs /usr/bin/. "$dir/few/"
rm -f "$dir/few/mmdebstrap"
few() { PATH=$dir/few:$dir/sbin "$@"; }
claim "without mmdebstrap" few refuses 1 'no mmdebstrap: apt install mmdebstrap' xm image web --debian bookworm --file "$dir/out/web.img"
claim "nothing is left of that" nothing
echo "1..$n"
exit $failed
