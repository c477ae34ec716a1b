#!/bin/sh
# SPDX-License-Identifier: MIT
# ./storevisor run: what is promised of output, status, --add, --disk, and of a machine that fails.
. "$(dirname "$0")/lib.sh"
REAL_TIME=1

mkdir -p "$SCRATCH/words/deep"
echo "from the host" >"$SCRATCH/words/deep/file"

status=0
start=$(date +%s)
out=$(machine --disk "$SCRATCH/disk" --add "$SCRATCH/words" -- '
	echo "to stdout"; echo "to stderr" >&2; cat /mnt/words/deep/file; echo kept >/data/kept; ps | grep -c [x]enstored; exit 37' \
	2>"$SCRATCH/err") || status=$?
boot_s=$(($(date +%s) - start)) # what this host needs for one boot
same "COMMAND's status passes through" 37 "$status"
same "stdout is exactly COMMAND's" "to stdout
from the host
1" "$(printf '%s\n' "$out" | sed 's/^[2-9]$/1/')"
same "stderr is exactly COMMAND's" "to stderr" "$(cat "$SCRATCH/err")"
contains "the serial log shows dom0's kernel" 'Linux version 6\.1' "$(tr -d '\000' <"$SCRATCH/serial.log")"

out=$(machine --disk "$SCRATCH/disk" -- 'cat /data/kept; i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done' \
	2>"$SCRATCH/err") || fail "the second boot of a disk" "$(tail -n 30 "$SCRATCH/err")"
same "--disk keeps dom0's files between runs" kept "$(printf '%s\n' "$out" | head -n 1)"
same "long output arrives whole" "$(i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i + 1)); done | sha256sum)" \
	"$(printf '%s\n' "$out" | tail -n +2 | sha256sum)"

status=0
start=$(date +%s)
out=$(machine --linux-args 'rdinit=/nowhere root=/dev/none' -- 'echo never' 2>"$SCRATCH/err") || status=$?
same "a dom0 kernel that panics ends with status 125" 125 "$status"
contains "a panic is named" 'storevisor: .*panic' "$(cat "$SCRATCH/err")"
contains "a panic shows the serial log's tail" 'Kernel panic - not syncing' "$(cat "$SCRATCH/err")"
if [ $(($(date +%s) - start)) -lt $((boot_s * 3 + 60)) ]; then pass "a panic ends the run at once"; else fail "a panic ends the run at once"; fi

status=0
limit=$((boot_s * 2 + 15))
machine --timeout $limit -- 'echo started; sleep 1000' >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
same "--timeout ends with status 125" 125 "$status"
same "output until then is not lost" started "$(cat "$SCRATCH/out")"
contains "the limit is named" "no end within $limit seconds" "$(cat "$SCRATCH/err")"

: >"$SCRATCH/empty"
status=0
"$TOP/storevisor" run --quiet --hypervisor "$SCRATCH/empty" --timeout 60 -- true >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
same "a file that is no hypervisor ends with status 125" 125 "$status"

status=0
"$TOP/storevisor" run --memory lots -- true >"$SCRATCH/out" 2>&1 || status=$?
same "a bad option ends with status 2" 2 "$status"
contains "a bad option is named" "memory wants a number, not 'lots'" "$(cat "$SCRATCH/out")"
finish
