#!/bin/bash
# run.sh [OUT] - spin's search of the models, as runs.list says
# run.sh --show MODEL PROPERTY DEFINES... - one search, and the interleaving it finds
#
# A line of runs.list is a test: a model without a planted fault must be searched
# to its end without a finding, one with a fault must show what the line says.
# Logs stay in OUT (build/promela).  Ends with `N passed, M failed`.

set -u
cd "$(dirname "$0")" || exit 1
here=$PWD

# What the words in runs.list are in pan's mouth.
pattern_of() {
	case $1 in
	phantom) echo 'assertion violated alive\[' ;;	# a handle read through an entry
	dead) echo 'assertion violated alive\[' ;;	# a handle after its last touch
	together) echo 'assertion violated.*inside\[' ;; # two who conflict
	stuck) echo 'invalid end state' ;;		# somebody waits for ever
	cycle) echo 'acceptance cycle' ;;		# the same, or runs in a circle
	leftover)	# a flag or a node, in the end
		echo 'assertion violated.*\(guard& ~\|(node\[0\]==[0-9]*)&&(node\)' ;;
	no-entry) echo 'assertion violated.*way!=' ;;	# none is in the way
	invariant) echo 'assertion violated.*w&2' ;;	# N2 alone
	count) echo 'assertion violated.*nr_\(held\|blockers\)' ;; # D1, G3
	old) echo 'assertion violated.*as\[0\].*<nr_old' ;;	# G3: who is too old is passed
	queued) echo 'assertion violated.*(looks&&' ;;	# who could soon pass sleepers
	winner) echo 'assertion violated.*as\[me\]==' ;; # two ends of one wait
	guard) echo 'assertion violated.*node\[me\]==.*flags\[' ;; # left a tree under another guard
	esac
}

# search FOLDER MODEL PROPERTY FLAG DEFINES...: pan's words.
search() {
	local folder=$1 model=$2 property=$3 flag=$4 flags how
	shift 4
	mkdir -p "$folder" && cd "$folder" || return 1
	cp "$here/$model.pml" "$here"/*.inc . || return 1
	spin -a "${@/#/-D}" "$model.pml" || return 1
	case $property in
	safety) flags="-DSAFETY -DNOCLAIM $flag" how= ;;
	*/any) flags=-DNOFAIR how="-a -N ${property%/any}" ;;
	*) flags=-DNFAIR=3 how="-a -f -N $property" ;;
	esac
	# pan.c is not ours, hence -w; most are compiled longer than they run, hence -O0.
	${CC:-gcc} -w "${level:--O0}" -DVECTORSZ=2048 -DCOLLAPSE -DMEMLIM=1024 $flags -o pan pan.c || return 1
	./pan -n -m100000 ${more:-} $how
}

# run_one OUT NUMBER MODEL PROPERTY FINDS DEFINES: a line of runs.list.
run_one() {
	local folder=$1/$2 model=$3 property=$4 finds=$5 defines=$6 log=$1/$2.log states
	local level=-O0 more=
	case $model:$finds in
	entry:nothing | readers:nothing) level=-O1 ;;	# long, of a short pan.c
	*:nothing | *:stuck | *:cycle) ;;
	*) more=-E ;;				# who is stuck is another harm
	esac
	rm -rf "$folder"
	(search "$folder" "$model" "$property" "" $defines) >"$log" 2>&1
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$log")
	rm -rf "$folder"
	if [ "$finds" = nothing ]; then
		grep -q 'errors: 0$' "$log" &&
			! grep -q 'Search not completed\|search depth too small\|pan: out of' "$log"
	else
		grep -q "^pan:1: $(pattern_of "$finds")" "$log"
	fi
	if [ $? = 0 ]; then
		printf 'pass %-7s %-11s %-42s %-9s %9s states\n' "$model" "$property" "$defines" "$finds" "$states"
	else
		printf 'FAIL %-7s %-11s %s: finds not %s; the end of %s:\n' "$model" "$property" "$defines" "$finds" "$log"
		tail -n 30 "$log"
	fi
}

# The faults in a model, without what only makes a scenario.
faults_of() {
	cat "$1" $(sed -n "s|^#include \"\(.*\)\"|$here/\1|p" "$1") |
		grep -oE '^#(ifdef|ifndef|if|elif).*' | grep -oE '\b[A-Z][A-Z_]+\b' | sort -u |
		grep -vxE 'ROUNDS|MIX|SPURIOUS|INVARIANTS|SAME|SETTLE|READERS|UNDISTURBED|NO_DEADLINE|APART' |
		grep -vxE 'WRITERS|IMPATIENT|SETTLES|GIVES|TRIES|GIVES_UP|CLOSES|FOUR'
}

if [ "${1:-}" = --show ]; then
	shift
	[ $# -ge 2 ] || { echo "usage: run.sh --show MODEL PROPERTY DEFINES..." >&2; exit 2; }
	folder=$(mktemp -d) || exit 1
	trap 'rm -rf "$folder"' EXIT
	# Breadth first: the shortest one.
	(search "$folder" "$1" "$2" -DBFS "${@:3}") | grep -E '^pan:|errors:|states, stored'
	cd "$folder" && [ -e "$1.pml.trail" ] || exit 0
	spin -t -p -g -l $(printf ' -D%s' "${@:3}") "$1.pml" | grep -v '(:never:\|^Never claim'
	exit 1
fi

cd ../.. || exit 1
out=$PWD/${1:-build/promela}
cpus=$(nproc)
rm -rf "$out"
mkdir -p "$out" || exit 1
failed=0
for model in "$here"/*.pml; do
	for fault in $(faults_of "$model"); do
		grep -qE "^$(basename "$model" .pml)	.*	$fault( |$)" "$here/runs.list" && continue
		echo "FAIL $fault in $(basename "$model") has no line in runs.list"
		failed=$((failed + 1))
	done
done

export -f run_one search pattern_of
export here out
# The long ones, without a fault, are started first.
results=$(grep -vE '^(#|$)' "$here/runs.list" | awk -F '\t' '{ printf "%d\t%d\t%s\n", $3 != "nothing", NR, $0 }' |
	sort -n -s -k1,1 | cut -f2- | tr '\t' '\n' |
	xargs -P "$cpus" -d '\n' -n 5 bash -c 'run_one "$out" "$@"' run.sh 2>&1)
echo "$results"
lines=$(grep -cvE '^(#|$)' "$here/runs.list")
passed=$(grep -c '^pass ' <<<"$results")
failed=$((failed + lines - passed))
awk '/^pass/ { states += $(NF - 1); runs++; faults += $(NF - 2) != "nothing" }
	END { printf "searched %d states in %d runs, %d of them of a planted fault\n", states, runs, faults }' <<<"$results"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
