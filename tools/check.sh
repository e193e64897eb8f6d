#!/bin/bash
# check.sh [STAGE...] - run the stages of `make check`, time them, count
#
# A stage is a function stage_NAME below; without arguments those in
# $gating run in order, NAME& beside those that follow up to a `wait`.  Each
# program that a stage runs is one test, unless it counts for itself in a line
# `N passed, M failed`.  A stage in which nothing ran has failed.  Logs go to
# build/check/STAGE.log; V=1 shows them as they grow.  Ends with a table of the
# stages and the line `N passed, M failed`.

set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
export CC=${CC:-gcc}
make=${MAKE:-make}
unset MAKE
logs=$PWD/build/check
jobs=$(nproc)
# Helgrind keeps one CPU busy, and so do those between it and `wait`.
gating='lint selftest build criterion inproc differential torture explore promela kernel
	helgrind& command instructions aarch64 tokens wait
	bench install faults tsan-gcc tsan-clang asan coverage fuzz mutants'

# What the sanitizers get told; a report always fails its program.
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp second_deadlock_stack=1 die_after_fork=0"
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
helgrind="valgrind -q --tool=helgrind --error-exitcode=9 --history-level=approx
	--fair-sched=try --suppressions=tests/helgrind.supp"

passed=0
failed=0

# run SECONDS COMMAND...: one program; count what it says, or itself.
run() {
	local seconds=$1 output status line good=0 bad=0
	shift
	output=$(mktemp)
	echo "\$ $*"
	timeout --kill-after=10 "$seconds" "$@" 2>&1 | tee "$output"
	status=${PIPESTATUS[0]}
	line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1)
	if [[ "$(tail -n 1 "$output")" =~ ^mutants:\ ([0-9]+)\ planted,\ ([0-9]+)\ caught$ ]]; then
		good=${BASH_REMATCH[2]}
		bad=$((BASH_REMATCH[1] - good))
	elif [[ "$(tail -n 1 "$output")" =~ ^explored\ [0-9]+\ schedules\ of\ ([0-9]+)\ scenarios,.*\ ([0-9]+)\ failures$ ]]; then
		bad=${BASH_REMATCH[2]}
		good=$((BASH_REMATCH[1] - bad))
	elif [ -n "$line" ]; then
		good=${line%% *}
		bad=${line#*, }
		bad=${bad%% *}
	elif [ "$status" = 0 ]; then
		good=1
	fi
	rm -f "$output"
	if [ "$status" != 0 ]; then
		[ "$bad" -gt 0 ] || bad=1
		[ "$status" = 124 ] && echo "FAIL: $* ran longer than $seconds s"
		echo "FAIL: status $status: $*"
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
}

# build ARGUMENTS OF MAKE...: counted only when it fails.
build() {
	if ! "$make" -j"$jobs" --no-print-directory "$@" 2>&1; then
		echo "FAIL: make $*"
		failed=$((failed + 1))
		return 1
	fi
}

# run_listed STAGE FOLDER [WRAPPER...]: this stage's lines of tests/stress.list.
run_listed() {
	local stage=$1 folder=$2 when seconds program arguments
	shift 2
	while read -r when seconds program arguments; do
		[ "$when" = "$stage" ] || continue
		case $program in
		minimm) program=$folder/minimm ;;
		*) program=$folder/stress/$program ;;
		esac
		run "$seconds" "$@" "$program" $arguments
	done <tests/stress.list
}

# run_variant STAGE VARIANT [WRAPPER...]: everything, built in one variant.
run_variant() {
	local stage=$1 variant=$2 folder=build/$1
	shift 2
	build VARIANT="$variant" OUT="$folder" tests stresses || return
	run 900 "$@" "$folder/tests/lib"
	run 900 "$@" "$folder/tests/mm"
	run_listed "$stage" "$folder" "$@"
}

stage_lint() {
	run 120 tools/lint.py
}

# Can the lints and the tests fail?
stage_selftest() {
	run 120 tests/lint_selftest.py
	run 120 tests/backend_selftest/run.sh
}

# Both compilers, no warning; what the two make is used by other stages.
stage_build() {
	build all stresses benches && passed=$((passed + 1))
	build CC=clang OUT=build/clang all stresses benches && passed=$((passed + 1))
	[ -x build/minimm ] || { echo "FAIL: no build/minimm"; failed=$((failed + 1)); }
}

stage_criterion() {
	build VARIANT=debug tests-criterion || return
	run 600 build/debug/tests/lib.criterion --timeout 120
	run 600 build/debug/tests/mm.criterion --timeout 120
}

stage_inproc() {
	build VARIANT=debug tests || return
	run 600 build/debug/tests/lib
	run 600 build/debug/tests/mm
}

stage_differential() {
	build VARIANT=debug stresses && run_listed differential build/debug
}

# Real threads, with the invariants on and as it is shipped.
stage_torture() {
	build VARIANT=debug stresses && run_listed torture build/debug
	build stresses && run_listed torture build
	run 300 build/stress/crowd
	run 120 tests/soak_selftest.py build/stress/torture
}

# Every interleaving of small scenarios, under a weak memory model.
stage_explore() {
	build VARIANT=explore explorer || return
	run 120 build/explore/explorer litmus
	run 120 build/explore/explorer programs
	run 300 build/explore/explorer quick
}

# The protocol again, as a model of its own: spin searches it.
stage_promela() {
	run 900 tests/promela/run.sh
}

stage_kernel() {
	build VARIANT=debug stresses && run_listed kernel build/debug
}

# The command from outside: bad input and all, in the build that crashes first.
stage_command() {
	local script
	build VARIANT=asan build/asan/minimm && build all || return
	for script in tests/command/test_*; do
		MINIMM=build/minimm run 300 "$script"
		MINIMM=build/asan/minimm run 300 "$script"
	done
}

# What a pair costs, counted: of gcc's release build, which the figures are for.
stage_instructions() {
	local folder=build
	[ "$CC" = gcc ] || folder=build/gcc
	build CC=gcc VARIANT=release OUT=$folder tests-instructions || return
	run 300 tests/instructions/run.py ${UPDATE:+--update} $folder/tests/instructions/pairs
}

# What the benchmark compares must lock: the driver, and the peers written here.
stage_bench() {
	local peer
	build benches && run 300 tests/bench/test_rlbench.py
	CC=gcc build VARIANT=tsan OUT=build/tsan-gcc benches || return
	for peer in kara_bueso kogan segments; do
		run 120 setarch -R build/tsan-gcc/rlbench selftest --peer $peer
	done
}

stage_install() {
	run 300 tests/install/run.sh
}

stage_tsan-gcc() {
	RL_TEST_PERCENT=${RL_TEST_PERCENT:-20} RL_TEST_SLOWER=5 CC=gcc \
		run_variant tsan-gcc tsan setarch -R
}

stage_tsan-clang() {
	RL_TEST_PERCENT=${RL_TEST_PERCENT:-20} RL_TEST_SLOWER=5 CC=clang \
		run_variant tsan-clang tsan setarch -R
}

# The same by a third compiler; not gating, a part of `make tsan`.
stage_tsan-clang-19() {
	RL_TEST_PERCENT=${RL_TEST_PERCENT:-20} RL_TEST_SLOWER=5 CC=clang-19 \
		run_variant tsan-clang-19 tsan setarch -R
}

# Do race detectors see the races of a client, and nothing else?
stage_tokens() {
	local compiler client=build/tokens/tests/tokens
	build VARIANT=tokens library tokens-clients || return
	run 60 tests/tokens/interface.py build/tokens
	for compiler in gcc clang clang-19; do
		run 120 setarch -R $client-$compiler
	done
	run 300 valgrind -q --tool=helgrind --fair-sched=try $client-plain
	run 300 valgrind -q --tool=drd --fair-sched=try --segment-merging-interval=1000 \
		$client-plain --every 13
}

stage_asan() {
	RL_TEST_PERCENT=${RL_TEST_PERCENT:-20} RL_TEST_SLOWER=5 run_variant asan asan
}

stage_helgrind() {
	RL_TEST_PERCENT=${RL_TEST_PERCENT:-1} RL_TEST_SLOWER=20 \
		run_variant helgrind helgrind $helgrind
}

# A kernel that lies: strace answers the system calls.
stage_faults() {
	build VARIANT=debug tests-faults && run 900 tests/faults/run.py build/debug/tests/faults/waits
	build VARIANT=asan tests-memory && run 300 build/asan/tests/faults/memory
}

# Portability only: the emulator has the memory order of the machine it runs on.
stage_aarch64() {
	local gnu=aarch64-linux-gnu
	build CC=$gnu-gcc AR=$gnu-ar VARIANT=debug OUT=build/aarch64 library tests-lib || return
	RL_TEST_EMULATED=1 RL_TEST_PERCENT=${RL_TEST_PERCENT:-10} RL_TEST_SLOWER=20 \
		run 600 qemu-aarch64 -L /usr/$gnu build/aarch64/tests/lib
}

# gcov is gcc's.
stage_coverage() {
	CC=gcc build VARIANT=coverage OUT=build/coverage tests-lib stresses || return
	run 600 tests/coverage/run.py build/coverage
}

# A million executions of the lock's target, 20 seconds of each other.
stage_fuzz() {
	CC=clang build VARIANT=fuzz OUT=build/fuzz fuzzers || return
	run 1500 tests/fuzz/run.sh build/fuzz
}

stage_mutants() {
	run 900 tools/mutants.py
}

# Not gating: as long as the lines of tests/stress.list say.
stage_stress() {
	build VARIANT=debug stresses && run_listed stress build/debug
}

# One stage; its output to its log, what it counted to a file beside that.
run_stage() {
	local stage=$1 log=$logs/$1.log start=$SECONDS
	passed=0
	failed=0
	if [ "${V:-}" ]; then
		exec 3>&1 > >(tee "$log") 2>&1
	else
		exec 3>&1 >"$log" 2>&1
	fi
	"stage_$stage"
	exec >&3 2>&1 3>&-
	if [ $((passed + failed)) = 0 ]; then
		failed=1
		echo "FAIL: stage $stage ran nothing" | tee -a "$log"
	fi
	echo "$((SECONDS - start)) $passed $failed" >"$logs/$stage.counts"
}

count_stage() {
	local stage=$1 seconds passed failed
	read -r seconds passed failed <"$logs/$stage.counts" || failed=1
	table+=$(printf '%-14s %7d %7d %7d' "$stage" "$seconds" "$passed" "$failed")$'\n'
	printf '%-14s %d passed, %d failed, %d s\n' "$stage:" "$passed" "$failed" "$seconds"
	if [ "$failed" != 0 ]; then
		broken+=" $stage"
	fi
	if [ "$failed" != 0 ] && [ -z "${V:-}" ]; then
		echo "--- the end of build/check/$stage.log:"
		tail -n 60 "$logs/$stage.log"
		echo "---"
	fi
	all_passed=$((all_passed + passed))
	all_failed=$((all_failed + failed))
}

# Those that were begun with a `&`.
wait_for_stages() {
	local stage
	wait
	for stage in $beside; do
		count_stage "$stage"
	done
	beside=
}

# Who sees only the end of the output sees what failed: the first lines of each failed
# stage's log that hold FAIL, and what came before them.
show_failures() {
	local stage
	for stage in $broken; do
		printf '\n--- what failed in %s (build/check/%s.log):\n' "$stage" "$stage"
		grep -a -B 8 FAIL "$logs/$stage.log" | head -n 40
	done
}

mkdir -p "$logs"
table=
broken=
beside=
all_passed=0
all_failed=0
[ $# -gt 0 ] || set -- $gating
for stage in "$@"; do
	if [ "$stage" != wait ] && ! declare -F "stage_${stage%&}" >/dev/null; then
		echo "check.sh: no stage '$stage'; there are $gating tsan-clang-19 stress" >&2
		exit 2
	fi
done
for stage in "$@"; do
	rm -f "$logs/${stage%&}.counts"
	case $stage in
	wait) wait_for_stages ;;
	*\&)
		run_stage "${stage%&}" &
		beside+=" ${stage%&}"
		;;
	*)
		run_stage "$stage"
		count_stage "$stage"
		;;
	esac
done
wait_for_stages
show_failures
printf '\n%-14s %7s %7s %7s\n%s' stage seconds passed failed "$table"
printf '%-14s %7d\n\n' total "$SECONDS"
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" = 0 ]
