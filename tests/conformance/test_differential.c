/*
 * Goal: whatever is done to a lock, it answers as the brute-force model does.
 */
#include "tests/conformance/engines.h"
#include "tests/model/differential.h"

Test(differential, lock_and_model_agree_on_every_history)
{
	uint64_t seed = test_seed();

	for (size_t i = 0; i < nr_engines; i++)
		if (engines[i].takes_options)
			check(differential(engines[i].init, seed,
					   test_rounds(200000)));
}

/* Always the same histories: what a planted fault is shown to be caught by. */
Test(differential, lock_and_model_agree_on_known_histories)
{
	for (size_t i = 0; i < nr_engines; i++)
		if (engines[i].takes_options)
			check(differential(engines[i].init, 1,
					   test_rounds(200000)));
}
