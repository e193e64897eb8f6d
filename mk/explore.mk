# explore.mk - the library over the explorer's base (tests/explore/)
#
# A variant of its own.  tests/explore/over/ is searched for headers first; the
# library's base/*.c are left out, tests/explore/base.c stands for them.  The
# library's plain accesses are reported by -fsanitize=thread, to functions of
# tests/explore/race.c: no sanitizer is linked.  So it is with what the set
# `minimm` needs of the model; tests/explore/minimm/ stands for its RCU and memory.

EXPLORE_FIBER := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),x86_64,ucontext)
EXPLORE_SOURCES := $(filter-out tests/explore/fiber_%.c,$(wildcard tests/explore/*.c tests/explore/minimm/*.c)) \
	tests/explore/fiber_$(EXPLORE_FIBER).c
EXPLORE_MODEL := $(wildcard $(addsuffix /*.c,$(addprefix minimm/,mm vma pt scheme))) \
	minimm/cmd/script_line.c
PARTS.explore := $(call object,$(EXPLORE_SOURCES) $(EXPLORE_MODEL))

ifeq ($(VARIANT),explore)
LIBRARY_SOURCES := $(filter-out rangelock/base/%,$(LIBRARY_SOURCES))
LIBRARY_OBJECTS := $(call object,$(LIBRARY_SOURCES))
LIBRARY_CFLAGS := -fsanitize=thread -include tests/explore/library.h \
	-DRL_WAIT_LOOKS=1u -DRL_ENTRY_LOOKS=2u -DRL_CLOSING_LOOKS=1u
MODEL_CFLAGS := -fsanitize=thread -include tests/explore/minimm/model.h
$(call object,$(EXPLORE_MODEL)): OWN_CFLAGS = $(MODEL_CFLAGS)
endif

.PHONY: explorer explore explore-deep

explorer: $(OUT)/explorer

$(OUT)/explorer: $(PARTS.explore) $(OUT)/librangelock.a $(OUT)/sources
	$(call run,LD,$(CC) $(ALL_LDFLAGS) $(INPUTS) -o $@)

explore:					## interleavings and weak memory: the part that make check runs
	@tools/deps.sh demo
	@$(RUN_STAGES) explore

explore-deep:					## all scenarios, each to its end: many hours
	@tools/deps.sh demo
	+@$(MAKE) $(JOBS) --no-print-directory VARIANT=explore explorer
	@build/explore/explorer litmus
	@build/explore/explorer programs
	@build/explore/explorer deep $(DEEP)

-include $(patsubst %.o,%.d,$(PARTS.explore))
