#!/bin/bash
# run.sh - can a test fail?  Each way to break, under each backend and tool
#
# Ends with `N passed, M failed`.

set -u
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
passed=0
failed=0

# compile BACKEND BROKEN FLAGS...
compile() {
	local runner=inproc.c broken=$2 libraries=
	[ "$1" = criterion ] && runner=criterion.c libraries="-DRL_TEST_CRITERION -lcriterion"
	shift 2
	gcc -std=c11 -D_GNU_SOURCE -I. -g -pthread -Wno-unused-function \
		-DRL_BROKEN="$broken" "$@" tests/backend_selftest/cases.c \
		tests/checks.c tests/$runner $libraries -o "$folder/$broken"
}

# expect STATUS(0 or 1) LAST_LINE NAME COMMAND...
expect() {
	local want=$1 totals=$2 name=$3 status
	shift 3
	"$@" >"$folder/log" 2>&1
	status=$?
	if [ $((status != 0)) = "$want" ] && grep -qx "$totals" "$folder/log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name: status $status, wanted '$totals'"
		cat "$folder/log"
	fi
}

for backend in inproc criterion; do
	for broken in 0 1 2 3 4 5 6 7; do
		compile $backend $broken || { failed=$((failed + 1)); continue; }
		if [ $broken = 0 ]; then
			expect 0 '5 passed, 0 failed' "$backend: good" "$folder/0"
			expect 1 '0 passed, 0 failed' "$backend: none" "$folder/0" --filter nosuch
		else
			expect 1 '4 passed, 1 failed' "$backend: broken $broken" "$folder/$broken"
		fi
	done
done

# Two threads fail at once: it is one failure, every time.
always_one() {
	for _ in $(seq 40); do
		"$folder/7" >"$folder/once" 2>/dev/null && return 0
		tail -n 1 "$folder/once" | grep -qx '4 passed, 1 failed' || break
	done
	cat "$folder/once"
	return 1
}
compile inproc 7 && expect 1 '4 passed, 1 failed' 'two threads fail' always_one

# A check fails in a child, and so does the test that looks at its status: at once.
soon_and_once() {
	timeout -s KILL 20 "$folder/10" >"$folder/once" 2>&1
	local status=$?
	cat "$folder/once"
	[ "$status" = 1 ] &&
		[ "$(grep -c '^[0-9]* passed, [0-9]* failed$' "$folder/once")" = 1 ]
	return $((! $?))
}
compile inproc 10 && expect 1 '4 passed, 1 failed' 'a child fails' soon_and_once

# What only a tool sees: the tests pass, the run must not.
compile inproc 8 -fsanitize=thread && expect 1 '5 passed, 0 failed' tsan setarch -R "$folder/8"
compile inproc 0 -fsanitize=thread && expect 0 '5 passed, 0 failed' tsan setarch -R "$folder/0"
compile inproc 9 -fsanitize=address && expect 1 '5 passed, 0 failed' asan "$folder/9"
compile inproc 8 && expect 1 '5 passed, 0 failed' helgrind \
	valgrind -q --tool=helgrind --error-exitcode=9 "$folder/8"
compile inproc 0 && expect 0 '5 passed, 0 failed' helgrind \
	valgrind -q --tool=helgrind --error-exitcode=9 "$folder/0"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" = 25 ]
