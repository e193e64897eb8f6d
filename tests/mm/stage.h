/*
 * stage.h - a small play in virtual time: actors perform operations on one
 * address space under one scheme, and the oracle says how they got along
 */
#ifndef TESTS_MM_STAGE_H
#define TESTS_MM_STAGE_H

#include "minimm/mm/mm.h"
#include "minimm/oracle/oracle.h"
#include "minimm/sim/costs.h"
#include "minimm/sim/sim.h"

#define PAGE		MM_PAGE_SIZE
#define MIB		(UINT64_C(1) << 20)
#define STAGE_TOP	UINT64_C(0x7f0000000000)
#define STAGE_OPS	3

struct stage {
	struct sim *sim;
	struct sim_costs costs;
	struct sim_env env;
	struct oracle *oracle;
	struct mm *mm;
	struct oracle_result result;
};

/* Performs its operations, one after another, `rounds` times. */
struct actor {
	uint64_t at_ns;
	unsigned int rounds;		/* 0: one */
	uint64_t stride;		/* added to addr with each round */
	uint64_t gap_ns;		/* between operations */
	bool follows_address;		/* munmap what the mmap before it got */
	struct mm_op ops[STAGE_OPS];	/* kind MM_NR_KINDS ends them */
	int64_t results[STAGE_OPS];	/* of the last round */
	struct stage *stage;
};

/* The end of an actor's operations, and the usual ones. */
#define NO_OP		{ .kind = MM_NR_KINDS }
#define ANON		(MM_MAP_PRIVATE | MM_MAP_ANONYMOUS | MM_MAP_NORESERVE)
#define RW		(MM_VM_READ | MM_VM_WRITE)

#define FAULT(addr_) \
	{ .kind = MM_FAULT, .addr = (addr_), .access = MM_ACCESS_WRITE }
#define IO_FAULT(addr_) \
	{ .kind = MM_FAULT, .addr = (addr_), .access = MM_ACCESS_WRITE, \
	  .needs_io = true }
#define MAP_AT(addr_, len_, flags_) \
	{ .kind = MM_MMAP, .addr = (addr_), .len = (len_), .prot = RW, \
	  .flags = ANON | MM_MAP_FIXED | (flags_) }
#define MAP_ANYWHERE(len_) \
	{ .kind = MM_MMAP, .len = (len_), .prot = RW, .flags = ANON }
#define UNMAP(addr_, len_) \
	{ .kind = MM_MUNMAP, .addr = (addr_), .len = (len_) }
#define PROTECT(addr_, len_, prot_) \
	{ .kind = MM_MPROTECT, .addr = (addr_), .len = (len_), .prot = (prot_) }
#define READ_ARGS(addr_, len_) \
	{ .kind = MM_PS, .addr = (addr_), .len = (len_), .needs_io = true }
#define REMAP_TO(addr_, len_, new_addr_) \
	{ .kind = MM_MREMAP, .addr = (addr_), .len = (len_), \
	  .new_len = (len_), .new_addr = (new_addr_), \
	  .flags = MM_REMAP_MAYMOVE | MM_REMAP_FIXED }

/* An empty address space; choices are made right below top (0: STAGE_TOP). */
void stage_open(struct stage *s, const struct mm_scheme *scheme,
		uint64_t fault_window, uint64_t top);

/* Before the play, at no cost; checks that it succeeds. */
void stage_do(struct stage *s, struct mm_op op);

void stage_cast(struct stage *s, struct actor *actor);

/* Run; check that nothing is missed, broken or stuck; read the result. */
void stage_play(struct stage *s);

void stage_close(struct stage *s);

#endif
