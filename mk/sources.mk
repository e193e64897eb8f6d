# sources.mk - which file belongs to which product; found by wildcard

PUBLIC_HEADERS := $(wildcard include/*.h include/rangelock/*.h)
# Which orders locks are taken in: only the debug variant looks (RL_LOCK_ORDER).
ORDER_SOURCES := $(if $(filter-out debug,$(VARIANT)),rangelock/lock/lock_order.c \
	rangelock/base/trace.c tests/test_lock_order.c tests/test_trace.c)
LIBRARY_SOURCES := $(filter-out $(ORDER_SOURCES),$(wildcard $(addsuffix /*.c,$(addprefix rangelock/,base tree engine lock))))
MODEL_SOURCES := $(wildcard minimm/*/*.c)
MODEL_MAIN := minimm/cmd/main.c

TEST_SOURCES.lib := $(filter-out $(ORDER_SOURCES),$(wildcard tests/test_*.c tests/conformance/test_*.c))
TEST_SOURCES.mm := $(wildcard tests/mm/test_*.c)
# Whatever else lies beside the tests helps all of that folder's.
TEST_HELPERS.lib := $(filter-out $(TEST_SOURCES.lib) $(ORDER_SOURCES) tests/inproc.c tests/criterion.c,$(wildcard tests/*.c tests/conformance/*.c))
# What a test and a stress program share: the lock's model by brute force.  The
# kernel's side of the model's is for the programs mm_* alone, and x86's.
KERNEL_SIDE := tests/model/kernel_side.c
SHARED_HELPERS := $(filter-out $(KERNEL_SIDE),$(wildcard tests/model/*.c))
TEST_HELPERS.mm := $(filter-out $(TEST_SOURCES.mm),$(wildcard tests/mm/*.c))

# A program each; fuzz.c helps them all.
FUZZ_SOURCES := $(wildcard tests/fuzz/*.c)

# A program a file, and one a folder.
STRESS_FOLDERS := $(patsubst stress/%/,%,$(dir $(wildcard stress/*/main.c)))
STRESS_SOURCES := $(wildcard stress/*.c stress/*/*.c)
BENCH_SOURCES := $(wildcard bench/*.c bench/*/*.c)

object = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
object_pic = $(patsubst %.c,$(OUT)/pic/%.o,$(1))
object_criterion = $(patsubst %.c,$(OUT)/criterion/%.o,$(1))

LIBRARY_OBJECTS := $(call object,$(LIBRARY_SOURCES))
LIBRARY_PIC_OBJECTS := $(call object_pic,$(LIBRARY_SOURCES))
MODEL_OBJECTS := $(call object,$(MODEL_SOURCES))
MODEL_PARTS := $(filter-out $(call object,$(MODEL_MAIN)),$(MODEL_OBJECTS))
FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/fuzzers/%,$(filter-out tests/fuzz/fuzz.c,$(FUZZ_SOURCES)))
STRESSES := $(patsubst stress/%.c,$(OUT)/stress/%,$(wildcard stress/*.c)) \
	$(addprefix $(OUT)/stress/,$(STRESS_FOLDERS))
