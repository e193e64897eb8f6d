/*
 * Goal: each access does what its name says to the value.  (Its order: the
 * ThreadSanitizer runs of test_spin.c and conformance/test_exclusion.c, and the
 * planted GUARD_RELAXED and GRANT_RELAXED.)
 */
#include "tests/backend.h"

#include "rangelock/base/atomic.h"

Test(atomic, words_of_32_bits)
{
	uint32_t x = 1;

	check_eq(rl_load_relaxed(&x), 1);
	check_eq(rl_load_acquire(&x), 1);
	rl_store_relaxed(&x, 2);
	check_eq(x, 2);
	rl_store_release(&x, 3);
	check_eq(x, 3);
	check_eq(rl_swap_acquire(&x, 4), 3);
	check_eq(rl_swap_release(&x, 5), 4);
	check_eq(rl_swap_relaxed(&x, 6), 5);
	check(!rl_cas_relaxed(&x, 5, 7));
	check_eq(x, 6);
	check(rl_cas_relaxed(&x, 6, 7));
	check(!rl_cas_release(&x, 6, 8));
	check(rl_cas_release(&x, 7, 8));
	check_eq(rl_add_relaxed(&x, UINT32_MAX), 8);
	check_eq(x, 7);
}

Test(atomic, words_of_64_bits)
{
	uint64_t x = UINT64_C(1) << 40;

	check_eq(rl_load_relaxed64(&x), UINT64_C(1) << 40);
	rl_store_relaxed64(&x, 5);
	check_eq(rl_add_relaxed64(&x, UINT64_C(1) << 33), 5);
	check(!rl_cas_relaxed64(&x, 5, 6));
	check(rl_cas_relaxed64(&x, (UINT64_C(1) << 33) + 5, 6));
	check_eq(x, 6);
}
