/*
 * annotate.h - what the race detectors cannot see by themselves
 *
 * helgrind (RL_HELGRIND) takes only LOCK-prefixed instructions for atomic and
 * knows no orders: mm_annotate_...() take an atomic word out of its checking and
 * tell its releases and acquires.  liburcu's grace periods are inline assembly,
 * which neither helgrind nor ThreadSanitizer understands: mm_tell_...() tell
 * both.  As rangelock/base/annotate.h, which is the library's own.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ENV_ANNOTATE_H
#define MINIMM_ENV_ANNOTATE_H

#if defined(__SANITIZE_THREAD__)
#define MM_TELL_TSAN	1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MM_TELL_TSAN	1
#endif
#endif

#ifdef RL_HELGRIND
#include <valgrind/helgrind.h>

#define mm_annotate_atomic(p, size)	VALGRIND_HG_DISABLE_CHECKING(p, size)
#define mm_annotate_release(p)		ANNOTATE_HAPPENS_BEFORE(p)
#define mm_annotate_acquire(p)		ANNOTATE_HAPPENS_AFTER(p)
#define mm_tell_release(p)		ANNOTATE_HAPPENS_BEFORE(p)
#define mm_tell_acquire(p)		ANNOTATE_HAPPENS_AFTER(p)
#else
#define mm_annotate_atomic(p, size)	((void)(p))
#define mm_annotate_release(p)		((void)(p))
#define mm_annotate_acquire(p)		((void)(p))
#ifdef MM_TELL_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define mm_tell_release(p)		__tsan_release(p)
#define mm_tell_acquire(p)		__tsan_acquire(p)
#else
#define mm_tell_release(p)		((void)(p))
#define mm_tell_acquire(p)		((void)(p))
#endif
#endif

#endif
