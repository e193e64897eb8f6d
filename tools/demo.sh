#!/bin/bash
# demo.sh [MINIMM] - a real program's trace under every scheme, once and 16-fold
#
# Then: which call site to convert next, when all of them lock coarsely.

set -eu
cd "$(dirname "$0")/.."
minimm=${1:-build/minimm}
trace=minimm/data/javac.perf.gz

for scale in 1 16; do
	printf '\n== javac, %s at a time, under every scheme\n\n' "$scale"
	"$minimm" replay "$trace" --scheme all --scale "$scale"
done
printf '\n== which call site to convert next, with every one coarse\n\n'
"$minimm" sites "$trace" --scheme coarse --scale 16
