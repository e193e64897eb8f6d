#!/bin/bash
# run.sh - a client outside the tree, built against what `make install` put down
#
# The README's example and initializers.c, each with gcc, clang, g++ and clang++,
# static and shared, found through pkg-config; then run.  The shared library must
# export what the headers mark RL_API and nothing else and let itself be loaded by
# dlopen(), and uninstall must leave no file.  Ends with `N passed, M failed`.

set -u
cd "$(dirname "$0")/../.." || exit 1
make=${MAKE:-make}
root=$(mktemp -d) || exit 1
trap 'rm -rf "$root"' EXIT
passed=0
failed=0

# check NAME COMMAND...
check() {
	local name=$1
	shift
	if "$@" >"$root/log" 2>&1; then
		passed=$((passed + 1))
		echo "ok $name"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		cat "$root/log"
	fi
}

# The library lies below $root/image; its .pc file says /opt/rl.
image=$root/image
prefix=/opt/rl
export PKG_CONFIG_SYSROOT_DIR=$image
export PKG_CONFIG_LIBDIR=$image$prefix/lib/pkgconfig

client() {
	local compiler=$1 standard=$2 source=$3 linkage=$4
	local program=$root/client libs
	case $standard in
	c++*) language=c++ ;;
	*) language=c ;;
	esac
	if [ "$linkage" = static ]; then
		libs="$(pkg-config --static --libs rangelock)" || return 1
		libs="-Wl,-Bstatic $libs -Wl,-Bdynamic"
	else
		libs="$(pkg-config --libs rangelock)" || return 1
	fi
	rm -f "$program"
	(cd "$root" && "$compiler" -std="$standard" -pedantic -Wall -Wextra -Werror \
		$(pkg-config --cflags rangelock) -x "$language" "$source" -x none \
		$libs -o "$program") || return 1
	if [ "$linkage" = static ]; then
		! LC_ALL=C objdump -p "$program" | grep -q 'NEEDED.*librangelock' || return 1
		"$program"
	else
		LC_ALL=C objdump -p "$program" | grep -q 'NEEDED.*librangelock\.so\.0' || return 1
		LD_LIBRARY_PATH=$image$prefix/lib "$program"
	fi
}

exports_are_the_api() {
	cat "$image$prefix"/include/*.h "$image$prefix"/include/rangelock/*.h |
		tr '\n\t' '  ' | grep -oE '\bRL_API [^(]*\(' |
		grep -oE 'rl_[a-z0-9_]+ *\($' | tr -d ' (' | sort -u >"$root/want"
	nm -D --defined-only "$image$prefix/lib/librangelock.so" |
		awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$root/got"
	[ -s "$root/want" ] && diff "$root/want" "$root/got"
}

nothing_is_left() {
	local left
	"$make" --no-print-directory uninstall PREFIX=$prefix DESTDIR="$image" || return 1
	left=$(find "$image" ! -type d)
	echo "$left"
	[ -z "$left" ]
}

tools/readme_example.py >"$root/example.c" || exit 1
cp tests/install/initializers.c "$root/"
check install "$make" --no-print-directory install PREFIX=$prefix DESTDIR="$image"
if [ "$failed" != 0 ]; then
	echo "0 passed, 1 failed"
	exit 1
fi
check exports exports_are_the_api
check version test "$(pkg-config --modversion rangelock)" = \
	"$("$make" -s print NAMES=VERSION | cut -d= -f2)"
for source in example.c initializers.c; do
	for linkage in static shared; do
		check "$source gcc $linkage" client gcc c11 $source $linkage
		check "$source clang $linkage" client clang c11 $source $linkage
		check "$source g++ $linkage" client g++ c++17 $source $linkage
		check "$source clang++ $linkage" client clang++ c++17 $source $linkage
	done
done
check "dlopen" /usr/bin/python3 -c \
	'import ctypes, sys; assert ctypes.CDLL(sys.argv[1]).rl_init' \
	"$image$prefix/lib/librangelock.so.0"
check "stays loaded" bash -c 'readelf -d "$1" | grep -q NODELETE' - \
	"$image$prefix/lib/librangelock.so.0"
check uninstall nothing_is_left
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
