# SPDX-License-Identifier: MIT
# tests/boot/lib.sh - the host's half of a boot test. Each tests/boot/NAME.sh sources it, boots the
# machine once or more and prints TAP. $HYPERVISOR names the hypervisor under test (empty: ours);
# $TOP the project; $SCRATCH an empty folder.

: "${TOP:?is the project}" "${SCRATCH:?is an empty folder: ./storevisor test makes one}"
count=0
failed=0

# pass TEXT, fail TEXT [DETAIL]: one claim's outcome.
pass()
{
	count=$((count + 1))
	printf 'ok %d - %s\n' "$count" "$1"
}

fail()
{
	count=$((count + 1))
	failed=$((failed + 1))
	printf 'not ok %d - %s\n' "$count" "$1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/# /'
}

# same TEXT WANTED GOT: the two are equal.
same()
{
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "wanted: $2
got: $3"; fi
}

# contains TEXT PATTERN STRING: STRING has a match of the extended regular expression.
contains()
{
	if printf '%s\n' "$3" | grep -aqE -- "$2"; then pass "$1"; else fail "$1" "no match of: $2
in: $3"; fi
}

# machine OPTION... -- COMMAND: ./storevisor run with the hypervisor under test. Instructions are
# its clock, so that a busy host makes tests slower, never different; REAL_TIME=1 where a test needs
# the host's clock.
machine()
{
	"$TOP/storevisor" run --quiet $([ -n "${REAL_TIME:-}" ] || echo --steady) \
		${HYPERVISOR:+--hypervisor "$HYPERVISOR"} --log "$SCRATCH/serial.log" "$@"
}

# inside SCRIPT OPTION...: runs tests/boot/dom0/SCRIPT in dom0 and takes over its TAP, numbered on.
# A machine that dies is one more failure, with its last words; so is a plan of other claims than
# were made.
inside()
{
	script=$1 first=$count
	shift
	status=0
	machine --timeout 900 --add "$TOP/tests/boot/dom0" "$@" -- "sh /mnt/dom0/$script" \
		>"$SCRATCH/tap" 2>"$SCRATCH/stderr" || status=$?
	while IFS= read -r line; do
		case $line in
		'ok '*) count=$((count + 1)) && printf 'ok %d %s\n' "$count" "${line#ok * }" ;;
		'not ok '*)
			count=$((count + 1))
			failed=$((failed + 1))
			printf 'not ok %d %s\n' "$count" "${line#not ok * }"
			;;
		1..*) planned=$line ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$SCRATCH/tap"
	if [ "$status" = 0 ] && [ "${planned:-}" = "1..$((count - first))" ]; then
		pass "$script ran to its end"
	else
		fail "$script ran to its end" "status $status, plan ${planned:-none}, $((count - first)) made
$(tail -n 40 "$SCRATCH/stderr")"
	fi
	planned=
}

# kit_claims FILE [EXPECTED [PREFIX]]: the claims of the kit's guests as dom0, which FILE says; EXPECTED has
# a line "NAME RESULT" for each that need not be a success.
kit_claims()
{
	name=
	while read -r key rest; do
		case $key in
		test:) name=$rest ;;
		claim:) claim=$rest ;;
		result:)
			wanted=$(sed -n "s/^$name //p" "${2:-/dev/null}")
			if [ "${rest%% *}" = "${wanted:-success}" ]; then
				pass "${3:-}$name: $claim"
			else
				fail "${3:-}$name: $claim" "$rest"
			fi
			;;
		esac
	done <"$1"
}

# finish: the plan, and the script's status.
finish()
{
	printf '1..%d\n' "$count"
	[ "$failed" = 0 ]
}
