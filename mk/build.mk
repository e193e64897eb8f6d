# build.mk - objects, the library, the model, tests, stress and bench programs

# One short line a step; V=1 shows the whole command.
run = $(if $(V),,@printf '%-3s %s\n' '$(1)' '$@' &&) $(2)

# Is there a header for the compiler in hand?  Asked only when it matters.
has_header = $(shell printf '%s\n' '$(HASH)include <$(1)>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
HASH := \#

MODEL_LIBS := -lurcu-memb -lurcu-common -lz -lm

# The bench's peers from Debian packages: built in if they are there.
HAVE_CK = $(call has_header,ck_rwlock.h)
HAVE_ROCKSDB = $(and $(shell command -v $(CXX)),$(call has_header,rocksdb/c.h))
BENCH_LIBS = $(if $(HAVE_CK),-lck) $(if $(HAVE_ROCKSDB),-lrocksdb -lstdc++)
BENCH_DEFINES = $(if $(HAVE_CK),-DHAVE_CK) $(if $(HAVE_ROCKSDB),-DHAVE_ROCKSDB)

.PHONY: library minimm tests tests-lib tests-mm tests-criterion tests-lib-criterion \
	tests-mm-criterion tests-instructions tests-faults tests-memory fuzzers stresses benches print FORCE

library: $(OUT)/librangelock.a $(OUT)/librangelock.so

# Everything that the objects depend on beside their sources.
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) / $(ALL_LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(ALL_CFLAGS) / $(ALL_LDFLAGS)' >$@
FORCE:

# What is linked: a file that was added, renamed or removed changes it.
$(OUT)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(LINKED)' | cmp -s - $@ || echo '$(LINKED)' >$@
LINKED = $(LIBRARY_SOURCES) $(MODEL_SOURCES) $(TESTS.lib) $(TESTS.mm) $(BENCH_SOURCES) $(STRESS_SOURCES)
INPUTS = $(filter %.o %.a,$^)

$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call run,CC,$(CC) $(ALL_CFLAGS) $(OWN_CFLAGS) -MMD -MP -c $< -o $@)
	$(AFTER_CC)

$(OUT)/pic/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call run,CC,$(CC) $(ALL_CFLAGS) $(OWN_CFLAGS) -fPIC -MMD -MP -c $< -o $@)
	$(AFTER_CC)

$(OUT)/criterion/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call run,CC,$(CC) $(ALL_CFLAGS) $(OWN_CFLAGS) -DRL_TEST_CRITERION -MMD -MP -c $< -o $@)

# Only what the headers mark RL_API leaves the library.
$(LIBRARY_OBJECTS) $(LIBRARY_PIC_OBJECTS): OWN_CFLAGS = -fvisibility=hidden $(LIBRARY_CFLAGS)
$(call object,$(BENCH_SOURCES)): OWN_CFLAGS = $(BENCH_DEFINES)
# A run's last line says what it was of.
$(call object,$(wildcard stress/torture/*.c)): OWN_CFLAGS = -DTT_BUILD='"$(VARIANT), $(CC)"'

$(OUT)/librangelock.a: $(LIBRARY_OBJECTS) $(OUT)/sources
	@rm -f $@
	$(call run,AR,$(AR) rcs $@ $(LIBRARY_OBJECTS))

# clang leaves a sanitizer's runtime to the program, so -z defs would fail.
# nodelete: the end of a thread calls it, whenever that comes (base/line.c).
SHARED_LDFLAGS = -Wl,-soname,$(@F) -Wl,--version-script=rangelock/rangelock.map -Wl,-z,nodelete \
	$(if $(LINK.$(VARIANT)),,-Wl,-z,defs)

$(OUT)/librangelock.so.$(SOVERSION): $(LIBRARY_PIC_OBJECTS) rangelock/rangelock.map $(OUT)/sources
	$(call run,LD,$(CC) -shared $(SHARED_LDFLAGS) $(ALL_LDFLAGS) $(LIBRARY_PIC_OBJECTS) -o $@)

$(OUT)/librangelock.so: $(OUT)/librangelock.so.$(SOVERSION)
	@ln -sf $(<F) $@

# The model needs two libraries; without them the library stands by itself.
minimm: library
	@missing=; \
	[ '$(call has_header,urcu/urcu-memb.h)' ] || missing="$$missing liburcu-dev"; \
	[ '$(call has_header,zlib.h)' ] || missing="$$missing zlib1g-dev"; \
	if [ -z '$(MODEL_OBJECTS)' ]; then \
		echo 'minimm: no sources here'; \
	elif [ "$$missing" ]; then \
		echo "minimm is not built: it lacks$$missing; get it with: tools/deps.sh demo"; \
	else \
		$(MAKE) --no-print-directory $(OUT)/minimm; \
	fi

$(OUT)/minimm: $(MODEL_OBJECTS) $(OUT)/librangelock.a $(OUT)/sources
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) $(MODEL_LIBS) -o $@)

# Two test binaries, each with two backends (tests/backend.h).
tests: tests-lib tests-mm
tests-criterion: tests-lib-criterion tests-mm-criterion
tests-lib: $(if $(TEST_SOURCES.lib),$(OUT)/tests/lib)
tests-mm: $(if $(TEST_SOURCES.mm),$(OUT)/tests/mm)
tests-lib-criterion: $(if $(TEST_SOURCES.lib),$(OUT)/tests/lib.criterion)
tests-mm-criterion: $(if $(TEST_SOURCES.mm),$(OUT)/tests/mm.criterion)

TESTS.lib := $(TEST_SOURCES.lib) $(TEST_HELPERS.lib) $(SHARED_HELPERS)
TESTS.mm := $(TEST_SOURCES.mm) $(TEST_HELPERS.mm) $(TEST_HELPERS.lib)

COVERAGE_PARTS := $(if $(filter coverage,$(VARIANT)),$(call object,tests/coverage/dump.c))
PARTS.lib := $(call object,$(TESTS.lib) tests/inproc.c) $(COVERAGE_PARTS)
PARTS.stress := $(call object,$(SHARED_HELPERS)) $(COVERAGE_PARTS)
PARTS.kernel := $(call object,$(KERNEL_SIDE))
PARTS.mm := $(call object,$(TESTS.mm) tests/inproc.c) $(MODEL_PARTS) $(COVERAGE_PARTS)

$(OUT)/tests/lib: $(PARTS.lib) $(OUT)/librangelock.a $(OUT)/sources
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) -o $@)

$(OUT)/tests/mm: $(PARTS.mm) $(OUT)/librangelock.a $(OUT)/sources
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) $(MODEL_LIBS) -o $@)

$(OUT)/tests/lib.criterion: $(call object_criterion,$(TESTS.lib) tests/criterion.c) $(OUT)/librangelock.a $(OUT)/sources
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) -lcriterion -o $@)

$(OUT)/tests/mm.criterion: $(call object_criterion,$(TESTS.mm) tests/criterion.c) $(MODEL_PARTS) $(OUT)/librangelock.a $(OUT)/sources
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) $(MODEL_LIBS) -lcriterion -o $@)

# What tests/instructions/run.py counts.
tests-instructions: $(OUT)/tests/instructions/pairs

$(OUT)/tests/instructions/pairs: $(call object,tests/instructions/pairs.c) $(OUT)/librangelock.a
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) -o $@)

# What tests/faults/run.py runs on a kernel that lies.
tests-faults: $(OUT)/tests/faults/waits

$(OUT)/tests/faults/waits: $(call object,tests/faults/waits.c) $(OUT)/librangelock.a
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) -o $@)

# The n-th allocation fails: the linker gives the program all of them.
tests-memory: $(OUT)/tests/faults/memory

MEMORY_LDFLAGS := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=free

$(OUT)/tests/faults/memory: $(call object,tests/faults/memory.c) $(MODEL_PARTS) $(OUT)/librangelock.a
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(MEMORY_LDFLAGS) $(INPUTS) $(MODEL_LIBS) -o $@)

# One program a file, in VARIANT=fuzz.  A helper's _exit() would be the end of
# the fuzzer without a word: --wrap makes it a crash.
fuzzers: $(FUZZERS)
FUZZER_LDFLAGS := -fsanitize=fuzzer -Wl,--wrap=_exit

# What the models compare says nothing of the library, and took a quarter of the time.
ifeq ($(VARIANT),fuzz)
$(OUT)/obj/tests/model/%.o: EXTRA += -fno-sanitize-coverage=trace-cmp
endif
$(OUT)/fuzzers/csv: $(call object,bench/results.c)

$(OUT)/fuzzers/%: $(OUT)/obj/tests/fuzz/%.o $(call object,tests/fuzz/fuzz.c) $(PARTS.stress) $(MODEL_PARTS) $(OUT)/librangelock.a
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(FUZZER_LDFLAGS) $(INPUTS) $(MODEL_LIBS) -o $@)

# One program a file; those named mm_* link the model too.
stresses: $(STRESSES)
benches: $(OUT)/rlbench

$(OUT)/stress/mm_%: $(OUT)/obj/stress/mm_%.o $(PARTS.kernel) $(PARTS.stress) $(MODEL_PARTS) $(OUT)/librangelock.a
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) $(MODEL_LIBS) -o $@)

$(OUT)/stress/%: $(OUT)/obj/stress/%.o $(PARTS.stress) $(OUT)/librangelock.a
	@mkdir -p $(@D)
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) -lm -o $@)

# A folder with a main.c is one program.
define stress_folder
$(OUT)/stress/$(1): $(call object,$(wildcard stress/$(1)/*.c)) $(COVERAGE_PARTS) $(OUT)/librangelock.a $(OUT)/sources
	@mkdir -p $$(@D)
	$$(call run,LD,$$(CC) $$(ALL_LDFLAGS) $$(INPUTS) -lm -o $$@)
endef
$(foreach folder,$(STRESS_FOLDERS),$(eval $(call stress_folder,$(folder))))

# The bench is one program; what it was built with decides who takes part.  Its
# shim for RocksDB speaks C++, and is empty where there is no RocksDB.
$(OUT)/bench.flags: FORCE
	@mkdir -p $(@D)
	@echo '$(BENCH_DEFINES) $(BENCH_LIBS)' | cmp -s - $@ || \
		echo '$(BENCH_DEFINES) $(BENCH_LIBS)' >$@

$(call object,bench/peers/ck.c bench/peers/rocksdb.c): $(OUT)/bench.flags

BENCH_SHIM := $(OUT)/obj/bench/peers/rocksdb_shim.o

$(BENCH_SHIM): bench/peers/rocksdb_shim.cc bench/peers/rocksdb.h $(OUT)/flags $(OUT)/bench.flags
	@mkdir -p $(@D)
	$(call run,CXX,$(if $(HAVE_ROCKSDB),$(CXX) $(ALL_CXXFLAGS) -c $<,$(CC) -x c -c /dev/null) -o $@)

$(OUT)/rlbench: $(call object,$(BENCH_SOURCES)) $(BENCH_SHIM) $(OUT)/librangelock.a $(OUT)/sources $(OUT)/bench.flags
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) $(BENCH_LIBS) -lm -o $@)

.SECONDARY:

# What tools/mutants.py asks: make print NAMES='A B' says A=... and B=...
print:
	@$(foreach name,$(NAMES),echo '$(name)=$($(name))';)

-include $(patsubst %.o,%.d,$(LIBRARY_OBJECTS) $(LIBRARY_PIC_OBJECTS) $(MODEL_OBJECTS) \
	$(call object,$(TESTS.lib) $(TESTS.mm) tests/inproc.c tests/instructions/pairs.c tests/faults/waits.c tests/faults/memory.c $(FUZZ_SOURCES) $(KERNEL_SIDE) $(STRESS_SOURCES) $(BENCH_SOURCES)) \
	$(call object_criterion,$(TESTS.lib) $(TESTS.mm) tests/criterion.c))
