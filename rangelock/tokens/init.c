/*
 * init.c - init and destroy: which memory is the library's
 */
#include "rangelock/engine/ledger.h"
#include "rangelock/engine/shards.h"
#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_init);
RL_UNTOLD(rl_destroy);

int rl_init(struct rangelock *lk, const struct rl_options *options)
{
	int error = untold_rl_init(lk, options);

	if (error)
		return error;
	rl_hide_lock(lk);
	rl_hide(rl_lock_ledger(lk), sizeof(struct rl_ledger));
	if (lk->forest)
		rl_hide(lk->forest,
			rl_forest_size(lk->forest->nr_shards));
	return 0;
}

int rl_destroy(struct rangelock *lk)
{
	int error;

	rl_hide_lock(lk);
	error = untold_rl_destroy(lk);
	if (!error)
		rl_show(lk, sizeof(*lk));
	return error;
}
