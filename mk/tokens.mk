# tokens.mk - the library that tells its users' race detectors of ranges
#
# A variant of its own.  Each function that rangelock/tokens/ says RL_UNTOLD() of is
# renamed in the rest of the library, whose source is unchanged; the interface's
# functions are those of rangelock/tokens/.  rwlock.c calls the interface itself, so
# it is compiled as it is.  Nothing here is compiled with a sanitizer: a tool sees
# the program and the tokens.  The library's variables are put into sections of
# their own, which valgrind's tools are told to leave alone.

OBJCOPY ?= objcopy
TOKEN_SOURCES := $(wildcard rangelock/tokens/*.c)

ifeq ($(VARIANT),tokens)
UNTOLD_SOURCES := $(filter-out rangelock/lock/rwlock.c,$(LIBRARY_SOURCES))
UNTOLD_OBJECTS := $(call object,$(UNTOLD_SOURCES)) $(call object_pic,$(UNTOLD_SOURCES))
LIBRARY_SOURCES := $(LIBRARY_SOURCES) $(TOKEN_SOURCES)
LIBRARY_OBJECTS := $(call object,$(LIBRARY_SOURCES))
LIBRARY_PIC_OBJECTS := $(call object_pic,$(LIBRARY_SOURCES))

$(LIBRARY_OBJECTS) $(LIBRARY_PIC_OBJECTS): AFTER_CC = @$(OBJCOPY) \
	--rename-section .data=rl_data --rename-section .bss=rl_bss $@
$(UNTOLD_OBJECTS): LIBRARY_CFLAGS = -include $(OUT)/untold.h
$(UNTOLD_OBJECTS): $(OUT)/untold.h

$(OUT)/untold.h: $(TOKEN_SOURCES)
	@mkdir -p $(@D)
	@sed -n 's/^RL_UNTOLD(\(.*\));/#define \1 untold_\1/p' $(TOKEN_SOURCES) >$@
endif

# The client that tests it, built as a user builds his program: by three compilers
# for ThreadSanitizer, and without it for valgrind's tools.
CLIENT_SOURCES := $(filter-out tests/tokens/baton.c,$(wildcard tests/tokens/*.c))
CLIENT_COMPILERS := gcc clang clang-19 plain
CLIENT_CC = $(if $(filter plain,$(1)),$(CC),$(1))
CLIENT_SANITIZE = $(if $(filter plain,$(1)),,-fsanitize=thread)
CLIENT_CFLAGS = -std=c11 $(DEFINES) $(INCLUDES) $(WARNINGS) -O1 -g -fno-omit-frame-pointer -pthread

define client
PARTS.tokens-$(1) := $(patsubst %.c,$(OUT)/client/$(1)/%.o,$(CLIENT_SOURCES) tests/tokens/baton.c)

$(OUT)/client/$(1)/%.o: %.c $(OUT)/flags
	@mkdir -p $$(@D)
	$$(call run,CC,$(call CLIENT_CC,$(1)) $$(CLIENT_CFLAGS) \
		$$(if $$(filter %/baton.c,$$<),,$(call CLIENT_SANITIZE,$(1))) -MMD -MP -c $$< -o $$@)

$(OUT)/tests/tokens-$(1): $$(PARTS.tokens-$(1)) $(OUT)/librangelock.a
	@mkdir -p $$(@D)
	$$(call run,LD,$(call CLIENT_CC,$(1)) -pthread $(call CLIENT_SANITIZE,$(1)) $$(INPUTS) -o $$@)

-include $$(PARTS.tokens-$(1):.o=.d)
endef

.PHONY: tokens-clients
tokens-clients: $(addprefix $(OUT)/tests/tokens-,$(CLIENT_COMPILERS))

$(foreach compiler,$(CLIENT_COMPILERS),$(eval $(call client,$(compiler))))
