/*
 * spaces.h - who began whom, and which address space a record belongs to
 */
#ifndef MM_TRACE_SPACES_H
#define MM_TRACE_SPACES_H

#include "minimm/trace/trace.h"

/*
 * Fill in the spaces, each record's space and each thread's clone.
 * Requires: the records are in order.  Returns: 0; -1 for want of memory.
 */
int mm_recording_find_spaces(struct mm_recording *trace);

#endif
