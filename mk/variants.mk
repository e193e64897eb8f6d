# variants.mk - compilers and flags; one variant a build folder
#
#	make                        build/          optimized, invariants off
#	make VARIANT=debug          build/debug/    invariants and lock orders; what the tests use
#	make VARIANT=tsan           build/tsan/     ThreadSanitizer
#	make VARIANT=asan           build/asan/     Address-, Leak-, UBSanitizer
#	make VARIANT=helgrind       build/helgrind/ valgrind's annotations on
#	make CC=clang VARIANT=fuzz  build/fuzz/     libFuzzer's coverage, ASan, UBSan
#	make VARIANT=explore        build/explore/  over another base (mk/explore.mk)
#	make VARIANT=tokens         build/tokens/   tells race detectors of ranges (mk/tokens.mk)
#	make VARIANT=coverage       build/coverage/ counts each line's runs (gcov)
#
# Two compilers of one variant live side by side with OUT=build/tsan-clang.
# $(OUT)/flags changes when a flag does, and every object depends on it.

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin AR),default)
AR := ar
endif

VARIANT ?= release
OUT ?= $(if $(filter release,$(VARIANT)),build,build/$(VARIANT))

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
DEFINES := -D_GNU_SOURCE
INCLUDES.explore := -Itests/explore/over
INCLUDES = $(INCLUDES.$(VARIANT)) -Iinclude -I.

OPTIMIZE.release := -O2 -g -DRL_NDEBUG
OPTIMIZE.debug := -O2 -g -DRL_LOCK_ORDER
OPTIMIZE.tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
OPTIMIZE.asan := -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
OPTIMIZE.helgrind := -O1 -g -fno-omit-frame-pointer -DRL_HELGRIND
OPTIMIZE.fuzz := -O2 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPTIMIZE.explore := -O2 -g -fno-pie
OPTIMIZE.tokens := -O2 -g -fno-omit-frame-pointer -DRL_NDEBUG -DRL_RANGE_TOKENS
LINK.explore := -no-pie -Wl,--wrap=rl_arbiter_is_valid
# Threads count at the same time.  Inlining would hide which function ran, and count the
# branches of each copy apart.
OPTIMIZE.coverage := -O0 -g --coverage -fprofile-update=atomic -Dalways_inline=unused
LINK.tsan := -fsanitize=thread
LINK.asan := -fsanitize=address,undefined
LINK.fuzz := -fsanitize=address,undefined
LINK.coverage := --coverage -Wl,--wrap=abort -Wl,--wrap=_exit

# How a program of that variant is run.
RUN.tsan := TSAN_OPTIONS=suppressions=tests/tsan.supp setarch -R
RUN.helgrind := valgrind -q --tool=helgrind --error-exitcode=9 --history-level=approx \
	--fair-sched=try --suppressions=tests/helgrind.supp

ifndef OPTIMIZE.$(VARIANT)
$(error VARIANT=$(VARIANT): give release, debug, tsan, asan, helgrind, fuzz, explore, tokens or coverage)
endif

# CFLAGS and LDFLAGS are the user's; EXTRA adds to a variant (a planted fault).
CFLAGS ?=
LDFLAGS ?=
EXTRA ?=

ALL_CFLAGS = -std=c11 $(DEFINES) $(INCLUDES) $(WARNINGS) \
	$(OPTIMIZE.$(VARIANT)) -pthread $(EXTRA) $(CFLAGS)
ALL_CXXFLAGS = -std=c++17 $(DEFINES) $(INCLUDES) -Wall -Wextra -Werror \
	$(OPTIMIZE.$(VARIANT)) -pthread $(EXTRA) $(CXXFLAGS)
ALL_LDFLAGS = -pthread $(LINK.$(VARIANT)) $(LDFLAGS)
