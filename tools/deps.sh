#!/bin/bash
# deps.sh SET... - install the Debian packages that a target needs and lacks
#
# Sets: demo, check, bench, bench-extra.  What is needed is asked of the machine itself (is
# there such a header, such a command?), so a library built by hand counts; when
# nothing is missing this takes a few hundredths of a second and says nothing.
# Exit: 0 all there, 2 usage, 3 something is missing and could not be installed.

set -u
cc=${CC:-gcc}
command -v "$cc" >/dev/null || cc=gcc

has_command() { command -v "$1" >/dev/null 2>&1; }

has_headers() {
	printf '#include <%s>\n' "$@" | "$cc" -D_GNU_SOURCE -E -x c - >/dev/null 2>&1
}

# Run-time part for -fsanitize=$1 of clang, or of the clang that is named $2.
has_sanitizer_of_clang() {
	local archive clang=${2:-clang}
	has_command "$clang" || return 1
	archive=$("$clang" -print-file-name="libclang_rt.$1-$(uname -m).a")
	[ -e "$archive" ] && return
	# Debian's clang finds it in its resource folder only.
	compgen -G "$("$clang" -print-resource-dir)/lib/*/libclang_rt.$1*.a" >/dev/null
}

# package | what shows that it is there
needs_demo='
gcc | has_command gcc
libc6-dev | has_headers stdio.h pthread.h
liburcu-dev | has_headers urcu/urcu-memb.h
zlib1g-dev | has_headers zlib.h'
needs_check="$needs_demo"'
g++ | has_command g++
clang | has_command clang
libclang-rt-14-dev | has_sanitizer_of_clang tsan && has_sanitizer_of_clang fuzzer
clang-19 | has_command clang-19
libclang-rt-19-dev | has_sanitizer_of_clang tsan clang-19
libcriterion-dev | has_headers criterion/criterion.h
valgrind | has_command valgrind && has_headers valgrind/helgrind.h
gcovr | has_command gcovr
strace | has_command strace
spin | has_command spin
gcc-aarch64-linux-gnu | has_command aarch64-linux-gnu-gcc && has_command aarch64-linux-gnu-ar
libc6-dev-arm64-cross | [ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ] && [ -e /usr/aarch64-linux-gnu/include/stdio.h ]
qemu-user | has_command qemu-aarch64
pkg-config | has_command pkg-config
python3 | [ -x /usr/bin/python3 ]'
needs_bench="$needs_demo"'
libck-dev | has_headers ck_rwlock.h'
# What `make bench` can do without: RocksDB as a peer, and `rlbench plot`.
needs_bench_extra="$needs_bench"'
g++ | has_command g++
librocksdb-dev | has_headers rocksdb/c.h
gnuplot-nox | has_command gnuplot'

[ $# -gt 0 ] || { echo "usage: deps.sh demo|check|bench|bench-extra..." >&2; exit 2; }
needs=
for set in "$@"; do
	case $set in
	demo) needs+=$needs_demo ;;
	check) needs+=$needs_check ;;
	bench) needs+=$needs_bench ;;
	bench-extra) needs+=$needs_bench_extra ;;
	*) echo "deps.sh: no set named '$set'; there are demo, check, bench, bench-extra" >&2; exit 2 ;;
	esac
done

missing_packages() {
	local package probe
	while IFS='|' read -r package probe; do
		[ -n "$package" ] || continue
		eval "$probe" || echo "$package"
	done <<<"$needs" | sort -u | tr -d ' ' | tr '\n' ' '
}

missing=$(missing_packages)
missing=${missing% }
[ -n "$missing" ] || exit 0

by_hand="apt-get update && apt-get install -y --no-install-recommends $missing"
give_up() {
	echo "missing: $missing" >&2
	echo "$1" >&2
	echo "    $by_hand" >&2
	exit 3
}

has_command apt-get || give_up "This is no Debian; install what corresponds to:"
as_root=()
if [ "$(id -u)" != 0 ]; then
	sudo -n true 2>/dev/null || give_up "This needs root; run as root:"
	as_root=(sudo -n)
fi

# apt, patiently: another apt may hold the locks for a while.
apt() {
	local try
	for try in 1 2 3 4 5 6; do
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
			apt-get -q -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1 && return 0
		grep -q 'Could not get lock' "$log" || return 1
		sleep 10
	done
	return 1
}

log=$(mktemp) || exit 3
trap 'rm -f "$log"' EXIT
echo "installing Debian packages: $missing"
apt update || { echo "apt-get update failed; going on with the lists there are:"; tail -n 3 "$log"; }
if ! apt install -y --no-install-recommends $missing; then
	tail -n 15 "$log" >&2
	give_up "apt-get could not install them; by hand:"
fi

missing=$(missing_packages)
missing=${missing% }
[ -z "$missing" ] || give_up "Installed, and still not found; by hand:"
