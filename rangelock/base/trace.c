/*
 * trace.c - backtrace(3) and dladdr(3)
 *
 * Only for builds that look for mistakes (lock_order.h).  Weak spot: a caller that
 * was inlined is not seen.
 */
#include "rangelock/base/trace.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stdint.h>
#include <stdio.h>

unsigned int rl_trace(void **frames, unsigned int max)
{
	int n = backtrace(frames, (int)max);

	return n > 0 ? (unsigned int)n : 0;
}

void rl_trace_text(void *frame, char *text, size_t size)
{
	Dl_info info;

	if (dladdr(frame, &info) && info.dli_fname)
		snprintf(text, size, "%s(+%#zx)", info.dli_fname,
			 (size_t)((uintptr_t)frame - (uintptr_t)info.dli_fbase));
	else
		snprintf(text, size, "%p", frame);
}
