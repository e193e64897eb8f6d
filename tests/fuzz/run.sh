#!/bin/bash
# run.sh FOLDER [SECONDS] - the fuzz targets of FOLDER, as many at once as there are CPUs
#
# Without SECONDS what gates a change: RUNS executions of lock (1,000,000), and
# 20 seconds of each other target, from the inputs kept in tests/fuzz/corpus and
# nothing else, from seed 1: a change is not held up by what another would have
# met.  With SECONDS each target runs so long, from a fresh seed, and goes on from
# what earlier runs found (FOLDER/found).  A target is a test; ends with
# `N passed, M failed`.  RL_SEED: the seed of all; each prints its own.
# What fails is kept in FOLDER/found and shown:
#
#	FUZZ_SHOW=1 build/fuzz/fuzzers/mm build/fuzz/found/mm.crash-...

set -u
cd "$(dirname "$0")/../.." || exit 1
folder=${1:?usage: run.sh FOLDER [SECONDS]}
seconds=${2:-}
runs=${RUNS:-1000000}
cpus=$(nproc)
found=$folder/found
RL_SEED=${RL_SEED:-}
[ -n "$seconds$RL_SEED" ] || RL_SEED=1

# Longest input: what is longer finds nothing that is shorter.
longest() {
	case $1 in
	lock) echo 258 ;;		# 32 operations
	mm) echo 700 ;;			# 100
	threads) echo 114 ;;		# 14
	sites) echo 500 ;;
	*) echo 3000 ;;
	esac
}

# run_one TARGET PART: libFuzzer's last word, or what it found.
run_one() {
	local target=$1 part=$2 program=$folder/fuzzers/$1 log=$found/$1.$2.log status input
	local options=(-max_len="$(longest "$1")" -timeout=25 -artifact_prefix="$found/$1.")
	[ "$target" != csv ] || options+=(-close_fd_mask=2)	# it says what is wrong
	[ -z "${RL_SEED:-}" ] || options+=(-seed=$((RL_SEED % 4294967296 + part)))
	if [ -n "$seconds" ]; then
		options+=(-max_total_time="$seconds")
	elif [ "$target" = lock ]; then
		options+=(-runs=$(((runs + cpus - 1) / cpus)))
	else
		options+=(-max_total_time=20)
	fi
	mkdir -p "$found/$target"
	"$program" "${options[@]}" "$found/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1
	status=$?
	if [ $status = 0 ] && grep -aq '^Done ' "$log"; then
		echo "pass $target: $(grep -a '^Done ' "$log"), $(grep -a -o 'Seed: [0-9]*' "$log")"
		return
	fi
	input=$(grep -a -o "$found/$target\.[a-z-]*-[0-9a-f]*" "$log" | tail -n 1)
	echo "FAIL $target: status $status; ${input:+input $input; }the end of $log:"
	tail -n 40 "$log"
	[ -z "$input" ] || FUZZ_SHOW=1 FUZZ_TIMES=1000 timeout 60 "$program" "$input" 2>&1 | tail -n 60
}

jobs=()
for source in tests/fuzz/*.c; do
	target=$(basename "$source" .c)
	[ "$target" != fuzz ] || continue
	[ -x "$folder/fuzzers/$target" ] || { echo "no $folder/fuzzers/$target: make VARIANT=fuzz CC=clang fuzzers"; exit 1; }
	if [ "$target" = lock ] && [ -z "$seconds" ]; then
		for ((part = 1; part <= cpus; part++)); do jobs=("$target $part" "${jobs[@]}"); done
	else
		jobs+=("$target 1")
	fi
done
[ -n "$seconds" ] || rm -rf "$found"
mkdir -p "$found"

export -f run_one longest
export folder seconds runs cpus found RL_SEED
output=$(printf '%s\n' "${jobs[@]}" | xargs -P "$cpus" -I {} bash -c 'run_one {}' 2>&1)
echo "$output"
passed=$(grep -ac '^pass ' <<<"$output")
echo "$passed passed, $((${#jobs[@]} - passed)) failed"
[ "$passed" = ${#jobs[@]} ]
