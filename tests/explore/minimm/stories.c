/*
 * stories.c - a fault against munmap, mprotect, fork and mmap, and these against
 * each other
 */
#include "tests/explore/minimm/story.h"

#define ANON		" rw- private,anonymous"
#define FIXED		ANON ",fixed"

const struct story stories[] = {
	/* A fault, and who takes away what it looks at. */
	{ "fault-munmap", { "mmap @0 +2" FIXED },
	  { { "fault @0 w" }, { "munmap @0 +2" } } },
	{ "fault-munmap-part", { "mmap @0 +3" FIXED, "fault @0 w", "fault @1 w" },
	  { { "fault @0 w" }, { "munmap @1 +1" } } },
	{ "read-munmap", { "mmap @0 +2" FIXED, "fault @1 w" },
	  { { "fault @0 r", "fault @1 w" }, { "munmap @0 +2" } } },
	{ "io-munmap", { "mmap @0 +2" FIXED },
	  { { "io fault @0 w" }, { "munmap @0 +1" } } },
	{ "file-munmap", { "mmap @0 +2 rw- private,fixed" },
	  { { "fault @0 w" }, { "munmap @0 +2" } } },
	{ "first-fault-munmap", { "mmap 0x80000000 +2" FIXED },
	  { { "fault 0x80000000 w" }, { "munmap 0x80000000 +2" } } },

	/* ... changes its protection, */
	{ "fault-mprotect", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "mprotect @0 +1 r--" } } },
	{ "fault-mprotect-none", { "mmap @0 +2" FIXED },
	  { { "fault @1 w" }, { "mprotect @0 +2 ---" } } },
	{ "fault-mprotect-two", { "mmap @0 +3" FIXED, "mprotect @1 +1 r--" },
	  { { "fault @2 w" }, { "mprotect @0 +3 rw-" } } },
	{ "fault-mprotect-beside", { "mmap @0 +2" FIXED },
	  { { "fault @0 w" }, { "mprotect @1 +1 r--" } } },

	/* ... copies it, */
	{ "fault-fork", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "fork" } } },
	{ "first-fault-fork", { "mmap @0 +2" FIXED },
	  { { "fault @0 w" }, { "fork" } } },

	/* ... or puts something there: a choice is pending until it is locked. */
	{ "fault-mmap", { NULL },
	  { { "fault @15 w" }, { "mmap 0 +1" ANON } } },
	{ "fault-mmap-over", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "mmap @0 +1 r-- private,anonymous,fixed" } } },
	{ "fault-mmap-file-over", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "mmap @0 +1 rw- private,fixed" } } },
	{ "fault-mmap-unfit-over", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "all mmap @0 +1 rw- private,fixed" } } },
	{ "munmap-mmap-unfit-over", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "munmap @0 +2" }, { "all mmap @0 +1 rw- private,fixed" } } },
	{ "fault-mmap-populate", { NULL },
	  { { "fault @0 w" },
	    { "mmap @0 +1 rw- private,anonymous,fixed,populate" } } },
	{ "mmap-mmap", { NULL },
	  { { "mmap 0 +1" ANON }, { "mmap 0 +2" ANON } } },
	{ "mmap-mmap-fixed", { NULL },
	  { { "mmap 0 +1" ANON }, { "mmap @15 +1" FIXED } } },
	{ "mmap-mmap-file-fixed", { NULL },
	  { { "mmap 0 +1" ANON }, { "mmap @15 +1 r-- private,fixed" } } },
	{ "mmap-fixed-mmap-fixed", { NULL },
	  { { "mmap @0 +2" FIXED }, { "mmap @1 +1 r-- private,fixed" } } },
	{ "mmap-munmap", { "mmap @14 +2" FIXED, "fault @15 w" },
	  { { "mmap 0 +2" ANON, "fault @15 r" }, { "munmap @14 +2" } } },
	{ "answer-munmap", { "mmap @14 +2" FIXED, "fault @15 w" },
	  { { "to @14 mmap 0 +2" ANON }, { "munmap @14 +2" } } },
	{ "mmap-munmap-mmap", { NULL },
	  { { "mmap 0 +1" ANON, "munmap @15 +1" }, { "mmap 0 +1" ANON } } },

	/* Other entries, other records. */
	{ "fault-fault", { "mmap @0 +2" FIXED },
	  { { "fault @0 w" }, { "fault @0 w" } } },
	{ "fault-fault-neighbours", { "mmap @0 +1" FIXED,
				      "mmap @1 +1 r-- private,anonymous,fixed",
				      "mprotect @1 +1 rw-" },
	  { { "fault @0 w" }, { "fault @1 w" } } },
	{ "fault-dontneed", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "madvise @0 +2 dontneed" } } },
	{ "fault-mremap", { "mmap @0 +2" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "mremap @0 +2 +2 maymove,fixed @8" } } },
	{ "fault-mremap-there", { "mmap @0 +1" FIXED, "fault @0 w" },
	  { { "fault @8 w" }, { "mremap @0 +1 +1 maymove,fixed @8" } } },
	{ "fault-mlock", { "mmap @0 +2" FIXED },
	  { { "fault @0 w" }, { "mlock @0 +2" } } },
	{ "fault-brk", { "brk @34" },
	  { { "fault @33 w" }, { "brk @33" } } },
	{ "brk-brk", { "brk @34" },
	  { { "brk @33" }, { "brk @35" } } },
	{ "grow-mmap", { "mmap @400 +1 rw- private,anonymous,fixed,growsdown" },
	  { { "fault @398 w" }, { "mmap @399 +1" FIXED } } },
	{ "grow-grow", { "mmap @400 +1 rw- private,anonymous,fixed,growsdown" },
	  { { "fault @398 w" }, { "fault @399 w" } } },
	{ "grow-munmap-mmap", { "mmap @400 +2 rw- private,anonymous,fixed,growsdown" },
	  { { "fault @398 w" }, { "munmap @400 +1", "mmap @400 +1" FIXED } } },
	{ "maps-munmap", { "mmap @0 +3" FIXED },
	  { { "maps" }, { "munmap @1 +1" } } },
	{ "munmap-munmap", { "mmap @0 +3" FIXED, "fault @1 w" },
	  { { "munmap @0 +2" }, { "munmap @1 +2" } } },
	{ "mprotect-mprotect", { "mmap @0 +3" FIXED },
	  { { "mprotect @0 +2 r--" }, { "mprotect @1 +2 ---" } } },
	{ "mprotect-munmap", { "mmap @0 +3" FIXED, "fault @1 w" },
	  { { "mprotect @0 +3 r--" }, { "munmap @1 +1" } } },

	/* Three. */
	{ "fault-munmap-mmap", { "mmap @0 +1" FIXED },
	  { { "fault @0 w" }, { "munmap @0 +1" },
	    { "mmap @0 +1 r-- private,anonymous,fixed" } } },
	{ "fault-munmap-fork", { "mmap @0 +1" FIXED, "fault @0 w" },
	  { { "fault @0 w" }, { "munmap @0 +1" }, { "fork" } } },
	{ "fault-mprotect-munmap", { "mmap @0 +2" FIXED },
	  { { "fault @0 w" }, { "mprotect @0 +2 r--" }, { "munmap @0 +1" } } },
	{ "mmap-fixed-fault", { NULL },
	  { { "mmap 0 +1" ANON }, { "mmap @15 +1" FIXED }, { "fault @15 w" } } },
	{ "mmap-mmap-munmap", { "mmap @15 +1" FIXED },
	  { { "mmap 0 +1" ANON }, { "mmap 0 +1" ANON }, { "munmap @15 +1" } } },
};
const unsigned int nr_stories = sizeof(stories) / sizeof(stories[0]);
