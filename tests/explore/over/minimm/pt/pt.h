/*
 * pt.h - the real one, whose leaves' locks are the explorer's
 */
#ifndef EX_MINIMM_PT_H
#define EX_MINIMM_PT_H

#include_next "minimm/pt/pt.h"

#include "tests/explore/minimm/memory.h"

#define mm_leaf_lock(leaf)						\
	ex_mutex_lock(&(leaf)->lock, EX_SITE(EX_RELAXED))
#define mm_leaf_unlock(leaf)						\
	ex_mutex_unlock(&(leaf)->lock, EX_SITE(EX_RELAXED))

#endif
