/*
 * areas.h - what is known of an address space while its trace is read
 *
 * A sorted array of disjoint areas, each mapped or known to be free.  What no
 * area covers is not known: the trace has not said anything about it yet.
 */
#ifndef MM_REPLAY_AREAS_H
#define MM_REPLAY_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mm_area {
	uint64_t start, end;
	uint32_t prot;			/* MM_VM_READ | WRITE | EXEC */
	uint32_t file;			/* 0: anonymous */
	uint64_t bias;			/* file offset - address */
	bool is_mapped;
	bool is_inferred;		/* its rights are not known: all */
};

struct mm_areas {
	struct mm_area *list;
	size_t nr, room;
};

void mm_areas_free(struct mm_areas *areas);

/* The area that covers an address, or NULL: not known. */
const struct mm_area *mm_areas_find(const struct mm_areas *areas,
				    uint64_t address);

/* What area says holds from now on.  Returns: 0; -1 for want of memory, as all
 * below. */
int mm_areas_set(struct mm_areas *areas, const struct mm_area *area);

/* New rights for what is mapped in [start, end). */
int mm_areas_protect(struct mm_areas *areas, uint64_t start, uint64_t end,
		     uint32_t prot);

/* [start, end) is mapped, with these rights and those that it has. */
int mm_areas_add(struct mm_areas *areas, uint64_t start, uint64_t end,
		 uint32_t prot);

/* Is anything known about a byte of [start, end)? */
bool mm_areas_touch(const struct mm_areas *areas, uint64_t start, uint64_t end);

/* The first part of [*start, end) that is not known.  Returns: false if there
 * is none, else the part in *start and *part_end. */
bool mm_areas_next_unknown(const struct mm_areas *areas, uint64_t *start,
			   uint64_t end, uint64_t *part_end);

int mm_areas_copy(struct mm_areas *to, const struct mm_areas *from);

#endif
