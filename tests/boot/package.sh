#!/bin/sh
# SPDX-License-Identifier: MIT
# package.sh - the package storevisor-store and those of its clients in a fresh Debian, no machine: judged by lintian,
# installed, used by its own user and the group, upgraded, beside Debian's own tools, built against, removed,
# purged. Run by name only: making the root takes two minutes the first time.
[ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare --mount --propagation private sh "$0"
. "$(dirname "$0")/lib.sh"
. "$TOP/image/lib.sh"
packages deb
packages package
ROOTFILE=$CACHE/debian-clients.tar.zst
NEEDS=systemd,libevent-core-2.1-7,libjansson4,liblmdb0,libncursesw6,libseccomp2,gcc,libc6-dev,pkg-config,python3,nodejs
THEIRS='xenstore-utils libxenstore4 libxentoolcore1 xen-utils-common'
R=$SCRATCH/root

make_root()
{
	[ ! -e "$ROOTFILE" ] || return 0
	note "making a fresh Debian"
	debootstrapped --quiet --variant=minbase --include="$NEEDS" bookworm "$ROOTFILE.new.tar.zst" >"$SCRATCH/log" 2>&1 ||
		die "mmdebstrap failed: $(tail -n 5 "$SCRATCH/log")"
	mv "$ROOTFILE.new.tar.zst" "$ROOTFILE"
}

get_theirs()
{
	mkdir -p "$CACHE/package"
	# shellcheck disable=SC2086 # words
	[ -e "$CACHE/package/done" ] || (cd "$CACHE/package" && apt-get -q download $THEIRS >/dev/null && : >done) ||
		die "cannot download Debian's packages: apt-get download $THEIRS"
}

in_root() { chroot "$R" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
as() { who=$1; shift; in_root setpriv --reuid="$who" --regid="$who" --init-groups "$@"; }
# claim TEXT COMMAND...: it succeeds.
claim()
{
	text=$1
	shift
	if "$@" >"$SCRATCH/out" 2>&1; then pass "$text"; else fail "$text" "status $?: $(tail -n 20 "$SCRATCH/out")"; fi
}
not() { ! "$@"; }

# older DEB OUT: the same package as an earlier version with another daemon in it.
older()
{
	dpkg-deb -R "$1" "$SCRATCH/old"
	sed -i 's/^Version: .*/Version: 0.0.1/' "$SCRATCH/old/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$SCRATCH/old" "$2" >/dev/null
}

# serve: the daemon as its unit has it: the directories there, the user, no right but its own.
serve()
{
	in_root install -d -o xenstored -g xenstored /run/xenstored /var/lib/xenstored
	# shellcheck disable=SC2046 # words
	as xenstored $(sed -n 's/^ExecStart=//p' "$R/lib/systemd/system/xenstored.service" | sed 's/ \$STORE_ARGS//') \
		--group xenstore >"$SCRATCH/daemon.log" 2>&1 &
	for _ in $(seq 200); do
		! as xenstored xs exists / 2>/dev/null || { daemon=$(serving) && return 0; }
		sleep 0.05
	done
	fail "the daemon serves" "$(cat "$SCRATCH/daemon.log")"
}

# The daemon itself: what the shell has started is a shell, which starts it.
serving()
{
	for pid in $(pgrep -f '^/usr/lib/storevisor/xenstored .*--persist / --group xenstore'); do
		[ "$(readlink "/proc/$pid/root")" != "$R" ] || { echo "$pid" && return; }
	done
	return 1
}

# Also its worker has gone then: nothing writes below the root any more.
stop()
{
	kill "$daemon"
	for _ in $(seq 400); do
		serving >/dev/null || return 0
		sleep 0.05
	done
	fail "the daemon ends" "$(cat "$SCRATCH/daemon.log")"
}

# files: all that is there, but for dpkg's own books and what users and caches are.
files() { (cd "$R" && find . -path ./proc -prune -o -path ./var/lib/dpkg -prune -o -path ./var/cache -prune -o -print | sort); }

make_root
get_theirs
mkdir -p "$R" "$SCRATCH/out.d"
tar -xf "$ROOTFILE" -C "$R"
: >"$R/etc/machine-id"
mount -t proc proc "$R/proc"
mkdir -p "$R/var/log/xen" # a script of Debian's package wants it
if [ -n "${STOREVISOR_DEBS:-}" ]; then cp "$STOREVISOR_DEBS"/*.deb "$SCRATCH/out.d/"; else "$TOP/storevisor" deb "$SCRATCH/out.d" store; fi
for deb in "$SCRATCH"/out.d/*.deb; do
	claim "lintian has nothing to say of ${deb##*/}" lintian --fail-on error,warning --tag-display-limit 0 "$deb"
done
set -- "$SCRATCH"/out.d/storevisor-store_*.deb
mkdir "$R/clients"
cp "$SCRATCH"/out.d/python3-storevisor_*.deb "$SCRATCH"/out.d/node-storevisor_*.deb "$R/clients/"
older "$1" "$SCRATCH/old.deb"
cp "$1" "$R/new.deb"
cp "$SCRATCH/old.deb" "$R/old.deb"
mkdir "$R/theirs"
cp "$CACHE"/package/*.deb "$R/theirs/"
echo alice:x:2000:2000::/:/bin/sh >>"$R/etc/passwd"
echo mallory:x:2001:2001::/:/bin/sh >>"$R/etc/passwd"
printf 'alice:x:2000:\nmallory:x:2001:\n' >>"$R/etc/group"
files >"$SCRATCH/before"

claim "it installs, with no Xen library there" in_root dpkg -i old.deb
claim "its daemon's user is there" in_root getent passwd xenstored
claim "so is the group that may use it" in_root getent group xenstore
in_root usermod -a -G xenstore alice
same "nothing of Xen is loaded" "" "$({ in_root ldd /usr/lib/storevisor/xenstored || echo no program of xenstored; } | grep xen)"
same "asked for a hypervisor, it says what is missing" 1 \
	"$(in_root /usr/lib/storevisor/xenstored -N --run-dir /tmp/r --state-dir /tmp/s 2>&1 | grep -c 'install libxencall1, libxenevtchn1')"
serve
claim "one of the group writes" as alice xs write /app/colour blue
same "and reads by the other name" blue "$(as alice xenstore-read /app/colour)"
claim "nobody else does" not as mallory xs read /app/colour
contains "who is told how that is mended" 'permission denied .*the group xenstore' "$(cat "$SCRATCH/out")"
claim "somebody is made to read only" in_root xs access alice read
claim "which holds" not as alice xs write /app/colour red
same "and lets read" blue "$(as alice xs read /app/colour)"
claim "until it is taken back" in_root xs access -r alice
same "the daemon is its own user's" "$(in_root id -u xenstored)" "$(stat -c %u "/proc/$daemon")"
stop

claim "the next version goes over it" in_root dpkg -i new.deb
serve
same "and has what was stored" blue "$(as alice xs read /app/colour)"
stop

cat >"$R/one.c" <<'EOF'
#include <xs.h>
#include <stdio.h>
int main(void)
{
	struct xs_client *c;
	char *value;
	size_t len;

	if (xs_client_open(&c, NULL) < 0 || xs_sync_str(c, XS_READ, 0, "/app/colour", &value, &len) < 0)
		return 1;
	puts(value);
	return 0;
}
EOF
cat >"$R/two.c" <<'EOF'
#include <xenstore.h>
#include <stdio.h>
int main(void)
{
	struct xs_handle *h = xs_open(0);
	char *value = h ? xs_read(h, XBT_NULL, "/app/colour", NULL) : NULL;

	return value ? puts(value) < 0 : 1;
}
EOF
serve
for lib in one:xs two:xenstore; do
	claim "a program is built with storevisor-${lib#*:}.pc" \
		in_root sh -c "cc -o ${lib%:*} ${lib%:*}.c \$(pkg-config --cflags --libs storevisor-${lib#*:})"
	same "and runs" blue "$(as alice "/${lib%:*}")"
done
stop
# its clients, as programs of their languages find them; each without the others
cat >"$R/one.py" <<'EOF'
import importlib.metadata
from storevisor_store import Store
with Store() as store, store.lock("/tool/lock", ttl=30) as held:
    print(store.read_text("/app/colour"), importlib.metadata.version("storevisor-store"), held.lost)
EOF
cat >"$R/one.cjs" <<'EOF'
const { connect } = require("storevisor-store");
connect().then(async (store) => {
  console.log(await store.readText("/app/colour"));
  await store.close();
});
EOF
cat >"$R/one.mjs" <<'EOF'
import { createRequire } from "node:module";
const { NotFound } = await createRequire(import.meta.url)("storevisor-store").load();
console.log(NotFound.name);
EOF
claim "its clients install" in_root sh -c 'dpkg -i clients/*.deb'
serve
same "the one for Python reads and locks" "blue $(sed -n 's/^version = "\(.*\)"/\1/p' "$TOP/clients/python/pyproject.toml") False" "$(as alice python3 /one.py 2>&1)"
same "the one for Node reads" blue "$(as alice node /one.cjs 2>&1)"
same "and is for modules, too" NotFound "$(as alice node /one.mjs 2>&1)"
stop
claim "they are removed" in_root dpkg -r python3-storevisor node-storevisor
claim "and purged" in_root dpkg -P python3-storevisor node-storevisor
claim "nothing is left of them" not find "$R/usr/lib/python3/dist-packages/storevisor_store" "$R/usr/share/nodejs/storevisor-store"
rm -r "$R/clients" "$R/one.py" "$R/one.cjs" "$R/one.mjs"
for file in usr/share/man/man1/xs.1.gz usr/share/man/man8/xenstored.8.gz usr/share/man/man8/xs-httpd.8.gz usr/share/bash-completion/completions/xs \
	usr/share/doc/storevisor-store/examples/backup.conf lib/systemd/system/xs-automate.service \
	lib/systemd/system/xs-httpd.service usr/sbin/xs-httpd; do
	claim "/$file is there" test -e "$R/$file"
done

claim "Debian's own tools go beside it" in_root sh -c 'dpkg --unpack theirs/*.deb && dpkg --configure libxentoolcore1 libxenstore4 xenstore-utils'
claim "and have their names" not test -L "$R/usr/bin/xenstore-ls"
same "the daemon's, too" ../lib/xen-common/bin/xen-utils-wrapper "$(readlink "$R/usr/sbin/xenstored")"
serve
same "they speak with our daemon" blue "$(as alice xenstore-read /app/colour)"
stop
claim "they go" in_root dpkg --purge xenstore-utils xen-utils-common
same "and ours have the names again" /usr/bin/xs "$(in_root readlink -f /usr/bin/xenstore-ls)"
in_root dpkg --purge libxenstore4 libxentoolcore1 >/dev/null

claim "it is removed" in_root dpkg -r storevisor-store
claim "what was stored is still there" test -e "$R/var/lib/xenstored/store"
claim "and back after an installation" in_root dpkg -i new.deb
serve
same "with its value" blue "$(as alice xs read /app/colour)"
stop
claim "it is purged" in_root dpkg -P storevisor-store
rm -f "$R/one" "$R/two" "$R/one.c" "$R/two.c"
files | grep -vE '^\./(etc/(passwd|group|shadow|gshadow|subuid|subgid)-?|var/log/.*|etc/(\.pwd\.lock))$' >"$SCRATCH/after"
same "nothing is left of it" "" "$(grep -vxFf "$SCRATCH/before" "$SCRATCH/after")"
finish
