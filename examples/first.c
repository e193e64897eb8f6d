#include <rangelock.h>
#include <stdio.h>

static struct rangelock file = RANGELOCK_INIT;

int main(void)
{
	struct rl_range first = RL_RANGE_INIT, second = RL_RANGE_INIT;

	rl_write_lock(&file, &first, 0, 4096);
	rl_write_lock(&file, &second, 4096, 8192);	/* does not wait */
	puts("two writers, one file");
	rl_unlock(&file, &second);
	rl_unlock(&file, &first);
	return rl_destroy(&file);
}
