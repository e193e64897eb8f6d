/*
 * stage.c - setting the stage, playing, and what must hold after every play
 */
#include "tests/mm/stage.h"

#include <errno.h>
#include <stdio.h>

#include "tests/backend.h"

static void complain(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

void stage_open(struct stage *s, const struct mm_scheme *scheme,
		uint64_t fault_window, uint64_t top)
{
	struct sim_options so = { .nr_cpus = 64 };
	struct oracle_options oo = { .report = complain };
	struct mm_config config = {
		.scheme = scheme,
		.mmap_top = top ? top : STAGE_TOP,
		.fault_window = fault_window,
	};

	s->sim = sim_create(&so);
	sim_costs_default(&s->costs);
	sim_env_init(&s->env, s->sim, &s->costs);
	oo.host = sim_host(s->sim);
	s->oracle = oracle_create(&oo);
	config.env = &s->env.env;
	config.observer = oracle_observer(s->oracle);
	s->mm = mm_create(&config);
	check(s->mm != NULL);
}

void stage_do(struct stage *s, struct mm_op op)
{
	mm_run(s->mm, &op);
	check_le(0, op.result);
}

static void perform(void *arg)
{
	struct actor *a = arg;
	struct stage *s = a->stage;
	uint64_t got = 0;

	for (unsigned int round = 0; round < (a->rounds ? a->rounds : 1); round++)
		for (unsigned int i = 0;
		     i < STAGE_OPS && a->ops[i].kind != MM_NR_KINDS; i++) {
			struct mm_op op = a->ops[i];

			op.addr += round * a->stride;
			if (a->follows_address && op.kind != MM_MMAP)
				op.addr += got;
			oracle_run(s->oracle, s->mm, &op);
			if (op.kind == MM_MMAP)
				got = (uint64_t)op.result;
			a->results[i] = op.result;
			sim_sleep(s->sim, a->gap_ns);
		}
}

void stage_cast(struct stage *s, struct actor *actor)
{
	actor->stage = s;
	check(sim_spawn(s->sim, actor->at_ns, perform, actor));
}

void stage_play(struct stage *s)
{
	check_eq(sim_run(s->sim), 0);
	check_eq(mm_check(s->mm), 0);
	oracle_read(s->oracle, &s->result);
	check_eq(s->result.nr_missed, 0);
	check_eq(s->result.nr_violations, 0);
}

void stage_close(struct stage *s)
{
	mm_destroy(s->mm);
	oracle_destroy(s->oracle);
	sim_destroy(s->sim);
}
