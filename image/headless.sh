# SPDX-License-Identifier: MIT
# image/headless.sh - image/run's half for a machine without a person at it: watches it, hands on what COMMAND says, and
# its status. Sourced, never run. Needs qemu(), $W, a folder of its own, $TIMEOUT and $SILENCE in seconds: those in
# which it could run, whatever else the host had to do.

# explain TEXT: why COMMAND has no status, for a person.
explain()
{
	{
		printf 'storevisor: %s\n' "$1"
		printf 'storevisor: the last lines of the serial log:\n'
		tail -n 30 "$W/serial.log" | tr -d '\r\000\033' | sed 's/^/  | /'
	} >&2
	exit 125
}

# sizes: bytes that the machine has said so far; what grows is alive.
sizes()
{
	cat "$W/serial.log" "$W/status" 2>/dev/null | wc -c
}

# What only a machine that is lost says: dom0's kernel, Debian's hypervisor, ours, GRUB.
PANIC='Kernel panic - not syncing|^\(XEN\) Panic on CPU|^\(SV\) .*Panic: |^grub> '

# clock PID: leaves in $now the host's seconds without those, $denied, in which PID's busiest thread wanted a CPU and had
# none. They stay counted when that thread has ended, or PID has: a machine that stops is not late for it.
clock()
{
	for file in "/proc/$1/task"/*/schedstat; do
		# nanoseconds on a CPU, waiting for one, how often
		{ read -r _ delay _ <"$file"; } 2>/dev/null || continue
		[ "$delay" -le $denied ] || denied=$delay
	done
	now=$(($(date +%s) - denied / 1000000000))
}

# watch_over PID: waits for the end; stops a machine that panicked, fell silent before its services
# came up, or ran out of time. Leaves the reason in $reason.
watch_over()
{
	reason='' last=0 up='' denied=0
	clock "$1"
	quiet_since=$now start=$now
	while kill -0 "$1" 2>/dev/null; do
		sleep 0.2
		clock "$1"
		[ -s "$W/status" ] && up=1
		size=$(sizes)
		[ "$size" = "$last" ] || { last=$size; quiet_since=$now; }
		if [ $((now - start)) -ge "$TIMEOUT" ]; then
			reason="no end within $TIMEOUT seconds (--timeout)"
		elif tail -c 4000 "$W/serial.log" 2>/dev/null | grep -aqE "$PANIC"; then
			sleep 1.5
			reason="panic"
		elif [ -z "$up" ] && [ $((now - quiet_since)) -ge $SILENCE ]; then
			reason="silent for $SILENCE seconds while booting"
		fi
		[ -z "$reason" ] || { kill "$1" 2>/dev/null || :; break; }
	done
	wait "$1" 2>/dev/null || :
}

# opened: who reads what QEMU never opened sees its end, as if it had said nothing.
opened()
{
	for port in out err; do
		[ ! -p "$W/$port" ] || : <>"$W/$port"
	done
}

headless()
{
	mkfifo "$W/out" "$W/err"
	cat "$W/out" &
	out=$!
	cat "$W/err" >&2 &
	err=$!
	: >"$W/status"
	: >"$W/serial.log"
	qemu </dev/null >"$W/qemu.log" 2>&1 &
	qemu_pid=$!
	watch_over $qemu_pid
	qemu_pid=
	opened # what is said goes out, however slowly it is taken
	wait $out $err 2>/dev/null || :
	answer=$(tail -n 1 "$W/status")
	case $answer in
	status\ *) exit "${answer#status }" ;;
	failed\ *) explain "dom0's services did not start: ${answer#failed }" ;;
	esac
	[ ! -s "$W/qemu.log" ] || cat "$W/qemu.log" >&2
	explain "COMMAND did not run to its end: ${reason:-the machine stopped or restarted by itself}"
}
