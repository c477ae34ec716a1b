#!/bin/sh
# SPDX-License-Identifier: MIT
# machine.sh SOURCE - `./storevisor run` around QEMU: what it is told, what comes out of it, what is left behind. QEMU
# and the disk are stand-ins. TAP output.
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
unset CDPATH
mkdir -p "$work/image" "$work/build/hypervisor" "$work/bin" "$work/odd, name"
cp "$source/image/run" "$source/image/lib.sh" "$source/image/headless.sh" "$work/image/"
printf '#!/bin/sh\necho %s/disk,a.img\n' "$work" >"$work/image/debian"
: >"$work/build/hypervisor/storevisor.elf"
echo disk >"$work/disk,a.img"
# One that says a lot, with the status 3, where it is told a place to say it.
cat >"$work/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$WORK/args"
port() { sed -n "s/^file,id=$1,path=//p" "$WORK/args" | sed 's/,,/,/g'; }
[ ! -e "$WORK/broken" ] || exit 1
# Its CPU is another's, who has ten times its share: of seven seconds it has less than one.
[ ! -e "$WORK/crowded" ] || {
	cpu=$(taskset -cp $$ | sed 's/.*: *//; s/[^0-9].*//')
	taskset -cp "$cpu" $$ >/dev/null
	sh -c 'while kill -0 "$1" 2>/dev/null; do :; done' sh $$ &
	renice -n 10 $$ >/dev/null
	read -r up _ </proc/uptime
	end=$((${up%.*} + 8))
	until [ "${up%.*}" -ge $end ]; do read -r up _ </proc/uptime; done
	[ ! -e "$WORK/stops" ] || exit 0
}
[ -n "$(port out)" ] || exit 5
seq 17000 >"$(port out)"
: >"$(port err)"
echo 'status 3' >"$(port status)"
END
# A copy that is stopped half way.
cat >"$work/bin/cp" <<'END'
#!/bin/sh
case $* in *--sparse*) for to; do :; done; [ ! -e "$WORK/stopped" ] || { echo half >"$to"; exit 1; } ;; esac
exec /bin/cp "$@"
END
chmod +x "$work"/bin/* "$work"/image/*
export WORK="$work" TMPDIR="$work/odd, name" PATH="$work/bin:$PATH" STOREVISOR_BUILD="$work/build"
run() { sh "$work/image/run" --debian --quiet "$@"; }

claim()
{
	text=$1
	shift
	n=$((n + 1))
	if "$@" >"$work/why" 2>&1; then echo "ok $n - $text"; else
		echo "not ok $n - $text"
		cat "$work/why" "$work/args" "$work/said" 2>/dev/null | tail -n 20 | sed 's/^/# /'
	fi
}
# same WANTED GOT
same() { [ "$1" = "$2" ] || { echo "wanted $1, got $2" && false; }; }
clean() { same "" "$(ls "$TMPDIR")"; }
told() { grep -qF -- "$1" "$work/args"; }

run </dev/null >"$work/said" 2>&1
claim "QEMU's own status is passed on" same 5 $?
claim "and nothing is left behind" clean
claim "a comma in a name is no option of QEMU's" told "file=$work/disk,,a.img,cache"

# taker: begins to take what it is given when the machine is away, or waits for it.
taker()
{
	for _ in $(seq 20); do
		[ -e "$work/away" ] && break
		sleep 0.1
	done
	wc -l
}
got=$({ run -- true 2>"$work/said"; echo $? >"$work/status"; : >"$work/away"; } | taker)
claim "nothing that COMMAND says is lost, however late it is taken" same 17000 "$got"
claim "its status is passed on" same 3 "$(cat "$work/status")"
claim "and nothing is left behind here" clean
run --log "$work/nowhere/log" -- true >"$work/said" 2>&1
claim "a log that cannot be written does not change the status" same 3 $?
claim "and leaves nothing" clean
touch "$work/broken"
run -- true >"$work/said" 2>&1
claim "a QEMU that does not begin is the machine's failure" same 125 $?
claim "it leaves nothing, and nobody" clean
rm "$work/broken"
touch "$work/crowded"
run --timeout 4 -- true >"$work/said" 2>&1
claim "what the host has no CPU for is none of the machine's time" same 3 $?
touch "$work/stops"
run --timeout 4 -- true >"$work/said" 2>&1
claim "nor when it has ended" grep -q 'the machine stopped or restarted by itself' "$work/said"
rm "$work/crowded" "$work/stops"

cd "$work" || exit 1
run --disk odd:kept.img -- true >"$work/said" 2>&1
claim "a colon in a disk's name is no protocol" told "file=./odd:kept.img,cache"
mv image/debian kept-debian
run --disk odd:kept.img -- true >"$work/said" 2>&1
claim "a disk that is there needs no Debian made" same 3 $?
mv kept-debian image/debian
touch stopped
run --disk half.img -- true >"$work/said" 2>&1
claim "a copy that was stopped is no disk" test ! -e half.img
rm stopped
mkdir "two words" one deep deep/one
run --add "two words" -- true >"$work/said" 2>&1
claim "a folder whose name has blanks is refused" same 2 $?
run --add one --add deep/one -- true >"$work/said" 2>&1
claim "so are two of one name, of which one would hide the other" same 2 $?

# The store alone: what is said works in another terminal, wherever that is.
cp "$source/storevisor" "$work/"
mkdir -p build/xenstored build/cli/xs
printf '#!/bin/sh\n' >build/xenstored/xenstored
chmod +x build/xenstored/xenstored
STOREVISOR_BUILD=build sh ./storevisor store "Bob's store" >"$work/said" 2>&1
said=$(cd / && eval "$(sed -n 's/^storevisor:   export/export/p' "$work/said")" && echo "$XENSTORED_PATH ${PATH%%:*}")
claim "where the store is can be typed as it is said" same "$work/Bob's store/run/socket $work/build/cli/xs" "$said"

# Two at once, in a folder that has been configured: each waits for the other, if that comes, before it ends.
cat >bin/ninja <<'END'
#!/bin/sh
mkdir "$WORK/alone" 2>/dev/null || : >"$WORK/both"
for _ in 1 2 3 4 5; do
	[ ! -e "$WORK/both" ] || break
	sleep 0.1
done
rmdir "$WORK/alone" 2>/dev/null
echo ran >>"$WORK/ran"
END
chmod +x bin/ninja
: >build/build.ninja
: >packages.txt
(unset STOREVISOR_BUILD && for _ in 1 2; do sh ./storevisor store one >>"$work/said" 2>&1 & done && wait)
claim "both have compiled" same 2 "$(wc -l <ran)"
claim "one at a time" test ! -e both

# packages: those that are held are there, too.
printf '#!/bin/sh\nprintf "ii  one\\nhi  held\\nrc  gone\\n"\n' >bin/dpkg-query
printf '#!/bin/sh\necho 1\n' >bin/id
chmod +x bin/*
printf 'one group x\nheld group x\n' >packages.txt
group() { (TOP=$work && . "$work/image/lib.sh" && packages group) 2>"$work/said"; }
claim "a package that is held is there" group
echo 'gone group x' >>packages.txt
claim "one that is removed is not" sh -c '! (TOP=$WORK && . "$WORK/image/lib.sh" && packages group)'
echo "1..$n"
