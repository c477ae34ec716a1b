#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts.sh DEBIAN-DIR - what the packages' scripts do to names that other packages have too, in a made-up root.
# dpkg, systemd and update-alternatives are stand-ins. TAP output.
debian=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
mkdir -p "$work/bin" "$work/usr/sbin" "$work/usr/lib/storevisor/bin" "$work/usr/lib/xen-common/bin" "$work/var/log/xen/console"
: >"$work/usr/lib/storevisor/bin/xl"
: >"$work/usr/lib/xen-common/bin/wrapper"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/systemctl"
cp "$work/bin/systemctl" "$work/bin/deb-systemd-invoke"
# Its package has the name as long as the made-up file says so.
printf '#!/bin/sh\ntest -e %s/owned\n' "$work" >"$work/bin/dpkg-query"
# As the real one: it links what is none or a link, and removes the link whosever it is.
cat >"$work/bin/update-alternatives" <<'END'
#!/bin/sh
case $* in
*--install*) [ -e "$DPKG_ROOT/usr/sbin/xl" ] && [ ! -L "$DPKG_ROOT/usr/sbin/xl" ] || ln -sfn /etc/alternatives/xl "$DPKG_ROOT/usr/sbin/xl" ;;
*--remove*) [ ! -L "$DPKG_ROOT/usr/sbin/xl" ] || rm -f "$DPKG_ROOT/usr/sbin/xl" ;;
esac
END
chmod +x "$work"/bin/*
export PATH="$work/bin:$PATH" DPKG_ROOT="$work"
xl=$work/usr/sbin/xl
# script NAME ARGUMENT...: what the package runs, with what debhelper would add for alternatives.
script()
{
	name=$1
	shift
	sh "$debian/storevisor-utils.$name" "$@" || return
	[ ! -e "$debian/storevisor-utils.alternatives" ] || case $name.$1 in
	postinst.configure) update-alternatives --install ;;
	prerm.remove) update-alternatives --remove ;;
	esac
}
is()
{
	n=$((n + 1))
	if [ "$2" = "$3" ]; then echo "ok $n - $1"; else echo "not ok $n - $1
# wanted $2, got $3"; fi
}
link() { readlink "$xl"; }
of_debian() { touch "$work/owned" && ln -sfn ../lib/xen-common/bin/wrapper "$xl"; }

script postinst configure
is "where nobody is xl, we are" ../lib/storevisor/bin/xl "$(link)"
of_debian
script postinst triggered /usr/sbin/xl
is "Debian's takes the name" ../lib/xen-common/bin/wrapper "$(link)"
script postinst configure
is "and keeps it through our upgrades" ../lib/xen-common/bin/wrapper "$(link)"
script prerm remove
is "and our removal" ../lib/xen-common/bin/wrapper "$(link)"
rm -f "$xl" "$work/owned"
script postinst triggered /usr/sbin/xl
is "when it goes, ours is back" ../lib/storevisor/bin/xl "$(link)"
script prerm upgrade
is "an upgrade leaves it" ../lib/storevisor/bin/xl "$(link)"
script prerm remove
is "a removal does not" "" "$(link)"
ln -s /etc/alternatives/xl "$xl"
script postinst configure
is "what was an alternative once is a link" ../lib/storevisor/bin/xl "$(link)"

sh "$debian/storevisor-utils.postrm" purge
is "a purge leaves the consoles of Xen's own tools" console "$(ls "$work/var/log/xen")"
rm -r "$work/usr/lib/xen-common"
sh "$debian/storevisor-utils.postrm" remove
is "a removal leaves all" console "$(ls "$work/var/log/xen")"
sh "$debian/storevisor-utils.postrm" purge
is "a purge leaves nothing of ours" "" "$(ls "$work/var/log")"

# What the operator has chosen of the store's tools.
printf '#!/bin/sh\n[ "$1" = --query ] || echo "$@" >%s/chosen\nprintf "Name: xenstore\\nStatus: %%s\\nBest: /best\\nValue: /mine\\n" "$STATUS"\n' \
	"$work" >"$work/bin/update-alternatives"
STATUS=manual sh "$debian/storevisor-store.postinst" triggered /usr/bin/xenstore >/dev/null
is "a choice of the store's tools stays" "--quiet --set xenstore /mine" "$(cat "$work/chosen")"
STATUS=auto sh "$debian/storevisor-store.postinst" triggered /usr/bin/xenstore >/dev/null
is "none stays none" "--quiet --auto xenstore" "$(cat "$work/chosen")"

# Units: one that does not come up again, and domains that do not end.
mkdir -p "$work/run/systemd/system"
printf '#!/bin/sh\nexit 0\n' >"$work/bin/systemctl"
printf '#!/bin/sh\necho "$@" >>%s/invoked\nexit 1\n' "$work" >"$work/bin/deb-systemd-invoke"
script postinst configure 0.1
is "an upgrade goes on after a unit that does not start" "0 2" "$? $(wc -l <"$work/invoked")"
: >"$work/invoked"
script prerm remove
is "a removal does not go on while there are domains" "1 stop xend-domains.service" "$? $(cat "$work/invoked")"
echo "1..$n"
