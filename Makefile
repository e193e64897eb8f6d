# Makefile - rangelock and minimm
#
# `make help` lists the targets.  Sources are found by wildcard, so a new file
# needs no change here.  One variant a build folder: mk/variants.mk says which.

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION := 0.1.0
SOVERSION := 0

include mk/variants.mk
include mk/sources.mk
include mk/explore.mk
include mk/tokens.mk
include mk/build.mk
include mk/install.mk

# Run one of the stages of tools/check.sh with our compiler, and with a job
# server of its own: each stage starts make again, variant by variant.
RUN_STAGES = CC='$(CC)' MAKE='$(MAKE)' tools/check.sh

# For the targets that build and then run: all CPUs, unless a -j was given.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: all demo check lint tsan tokens asan helgrind fuzz coverage aarch64 stress torture \
	soak bench instructions instructions-update mutants clean help

all: library minimm				## the library, static and shared, and build/minimm

demo:						## replay a real program's trace under every scheme (installs what it needs)
	@tools/deps.sh demo
	+@$(MAKE) $(JOBS) --no-print-directory all
	@tools/demo.sh $(OUT)/minimm

check:						## every test that gates a change (installs what it needs)
	@tools/deps.sh check
	@$(RUN_STAGES)

lint:						## the rules of the house, checked
	@tools/lint.py

tsan:						## the tests under ThreadSanitizer: gcc, clang and clang-19
	@tools/deps.sh check
	@RL_TEST_PERCENT=$${RL_TEST_PERCENT:-100} $(RUN_STAGES) tsan-gcc tsan-clang tsan-clang-19

tokens:						## the library for programs under race detectors (docs/RACES.md), tested
	@tools/deps.sh check
	@$(RUN_STAGES) tokens

asan:						## the tests under Address-, Leak- and UndefinedBehaviorSanitizer
	@tools/deps.sh check
	@RL_TEST_PERCENT=$${RL_TEST_PERCENT:-100} $(RUN_STAGES) asan

helgrind:					## the tests under valgrind's helgrind
	@tools/deps.sh check
	@$(RUN_STAGES) helgrind

fuzz:						## each fuzz target for SECS seconds (300), going on from earlier runs
	@tools/deps.sh check
	+@$(MAKE) $(JOBS) --no-print-directory CC=clang VARIANT=fuzz fuzzers
	@tests/fuzz/run.sh build/fuzz $${SECS:-300}

aarch64:					## library and tests built for aarch64, the tests under qemu
	@tools/deps.sh check
	@$(RUN_STAGES) aarch64

coverage:					## which lines of rangelock/ the tests run, and which they do not
	@tools/deps.sh check
	@V=1 $(RUN_STAGES) coverage

stress:						## long random runs: the `stress` lines of tests/stress.list
	@tools/deps.sh demo
	@$(RUN_STAGES) stress

torture: SECS ?= 60
torture:					## real threads, random calls: SECS, SEED, THREADS, ARGS; with VARIANT=tsan, asan, ... too
	@tools/deps.sh $(if $(filter release debug,$(VARIANT)),demo,check)
	+@$(MAKE) $(JOBS) --no-print-directory $(OUT)/stress/torture
	@SECS='$(SECS)' SEED='$(SEED)' THREADS='$(THREADS)' $(RUN.$(VARIANT)) $(OUT)/stress/torture $(ARGS)

soak:						## the same until there were 10^9 operations, in as many runs as it takes (of SECS each)
	@tools/deps.sh $(if $(filter release debug,$(VARIANT)),demo,check)
	+@$(MAKE) $(JOBS) --no-print-directory $(OUT)/stress/torture
	@SEED='$(SEED)' THREADS='$(THREADS)' tools/soak.py $(if $(SECS),--secs $(SECS)) --variant $(VARIANT) -- \
		$(RUN.$(VARIANT)) $(OUT)/stress/torture --laps 8 $(ARGS)

bench:						## the figures that the lock must show, beside its peers: met or missed
	@tools/deps.sh bench
	+@$(MAKE) $(JOBS) --no-print-directory benches
	@$(OUT)/rlbench bars

instructions:					## instructions and lines written by a pair: as committed?
	@tools/deps.sh check
	@V=1 $(RUN_STAGES) instructions

instructions-update:				## write them into tests/instructions/expected, on purpose
	@tools/deps.sh check
	@UPDATE=1 V=1 $(RUN_STAGES) instructions

mutants:					## planted faults: is each one caught?
	@tools/deps.sh check
	@CC='$(CC)' MAKE='$(MAKE)' tools/mutants.py

clean:						## remove what was built
	rm -rf build

help:						## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile mk/*.mk | \
		awk -F '\t' '{ printf "make %-20s %s\n", $$1, $$2 }'
