# explore.mk - the library over the explorer's base (tests/explore/)
#
# A variant of its own.  tests/explore/over/ is searched for headers first; the
# library's base/*.c are left out, tests/explore/base.c stands for them.  The
# library's plain accesses are reported by -fsanitize=thread, to functions of
# tests/explore/race.c: no sanitizer is linked.

EXPLORE_FIBER := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),x86_64,ucontext)
EXPLORE_SOURCES := $(filter-out tests/explore/fiber_%.c,$(wildcard tests/explore/*.c)) \
	tests/explore/fiber_$(EXPLORE_FIBER).c
PARTS.explore := $(call object,$(EXPLORE_SOURCES))

ifeq ($(VARIANT),explore)
LIBRARY_SOURCES := $(filter-out rangelock/base/%,$(LIBRARY_SOURCES))
LIBRARY_OBJECTS := $(call object,$(LIBRARY_SOURCES))
LIBRARY_CFLAGS := -fsanitize=thread -include tests/explore/library.h
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
	@build/explore/explorer deep

-include $(patsubst %.o,%.d,$(PARTS.explore))
