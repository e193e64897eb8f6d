/*
 * Goal: whatever operations up to four threads do to one address space in virtual
 * time, no scheme misses a conflict, breaks an invariant or gets stuck.
 *
 * Bytes: the scheme; the threads; then seven for each operation, dealt to the
 * threads in turn.
 */
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "minimm/cmd/script_line.h"
#include "minimm/oracle/oracle.h"
#include "minimm/scheme/scheme.h"
#include "minimm/sim/costs.h"
#include "minimm/sim/sim.h"

#define THREADS_MAX	4
#define OPS_MAX		48		/* of one thread */
#define PAGE		MM_PAGE_SIZE
#define CHUNK		(UINT64_C(2) << 20)
#define PLACE		UINT64_C(0x100000000)

static struct player {
	struct mm_op ops[OPS_MAX];
	uint64_t gaps_ns[OPS_MAX];
	unsigned int nr;
} players[THREADS_MAX];

static struct sim *sim;
static struct oracle *oracle;
static struct mm *mm;

static void notice(void *arg, const char *text)
{
	(void)arg;
	fuzz_fail("%s", text);
}

/* Some pages before and behind the border of two chunks; at times crooked. */
static uint64_t read_address(struct fuzz_bytes *b)
{
	uint8_t byte = fuzz_byte(b);
	uint64_t addr = PLACE + (byte >> 6) * CHUNK - 16 * PAGE + (byte & 31) * PAGE;

	return byte & 32 ? addr + (byte == 0xff) : byte ? addr : 0;
}

static uint64_t read_length(struct fuzz_bytes *b)
{
	uint8_t byte = fuzz_byte(b);

	return byte >= 0xf0 ? (byte & 3u) * CHUNK / 2 :
	       byte & 64 ? (byte & 31u) * PAGE + 100 : (byte & 31u) * PAGE;
}

static uint32_t read_prot(uint8_t byte)
{
	return (byte & 1 ? MM_VM_READ : 0) | (byte & 2 ? MM_VM_WRITE : 0) |
	       (byte & 4 ? MM_VM_EXEC : 0);
}

static uint32_t read_map_flags(uint8_t byte)
{
	static const uint32_t places[] = { 0, MM_MAP_FIXED, MM_MAP_NOREPLACE,
					   MM_MAP_FIXED };
	static const uint32_t extras[] = {
		0, MM_MAP_NORESERVE, MM_MAP_POPULATE, MM_MAP_LOCKED, MM_MAP_GROWSDOWN,
		MM_MAP_STACK, MM_MAP_32BIT, MM_MAP_POPULATE | MM_MAP_LOCKED,
	};

	return MM_MAP_ANONYMOUS | (byte & 1 ? MM_MAP_SHARED : MM_MAP_PRIVATE) |
	       places[byte >> 1 & 3] | extras[byte >> 3 & 7];
}

static void read_op(struct fuzz_bytes *b, struct mm_op *op, uint64_t *gap_ns)
{
	static const int32_t advices[] = { MM_ADV_DONTNEED, MM_ADV_FREE, MM_ADV_NORMAL,
					   MM_ADV_DONTFORK, MM_ADV_DOFORK,
					   MM_ADV_SEQUENTIAL, 99, MM_ADV_HUGEPAGE };
	uint8_t kind = fuzz_byte(b), flags = fuzz_byte(b), more = fuzz_byte(b);

	*op = (struct mm_op){ .kind = (enum mm_kind)(kind % MM_NR_KINDS) };
	op->addr = read_address(b);
	op->len = read_length(b);
	op->prot = read_prot(more);
	op->access = (enum mm_access)(more % 3);
	op->needs_io = more >> 3 & 1;
	op->advice = advices[flags & 7];
	*gap_ns = (uint64_t)fuzz_byte(b) * 50;
	if (op->kind == MM_EXIT)
		op->kind = MM_FAULT;
	if (op->kind == MM_MMAP)
		op->flags = read_map_flags(flags);
	if (op->kind == MM_BRK)
		op->addr = MM_DEFAULT_BREAK + op->len;
	if (op->kind == MM_MLOCK ||
	    (op->kind == MM_MMAP && op->flags & (MM_MAP_POPULATE | MM_MAP_LOCKED)))
		op->len %= 64 * PAGE;		/* each page is touched */
	if (op->kind == MM_MREMAP) {
		op->flags = flags & 7;
		op->new_len = (more & 31u) * PAGE;
		op->new_addr = PLACE + (flags >> 3) * PAGE * 3;
	}
}

/* FUZZ_SHOW=1: each operation as it begins and ends. */
static void show(const struct player *p, const struct mm_op *op, bool ends)
{
	char text[MM_SCRIPT_LINE], result[MM_RESULT_TEXT];

	if (!getenv("FUZZ_SHOW"))
		return;
	fprintf(stderr, "%8" PRIu64 " %*s%s%s%s\n", sim_now(sim), 4 * (int)(p - players), "",
		mm_script_write_line(op, text, sizeof(text)), ends ? " = " : " ...",
		ends ? mm_result_text(op->result, result, sizeof(result)) : "");
}

static void perform(void *arg)
{
	struct player *p = arg;

	for (unsigned int i = 0; i < p->nr; i++) {
		sim_sleep(sim, p->gaps_ns[i]);
		show(p, &p->ops[i], false);
		oracle_run(oracle, mm, &p->ops[i]);
		show(p, &p->ops[i], true);
		mm_destroy(p->ops[i].child);
	}
}

static void begin(struct sim_env *env, const struct sim_costs *costs, uint8_t scheme)
{
	struct sim_options so = { .nr_cpus = 1 + (scheme >> 4 & 3u) };
	struct oracle_options oo = { .report = notice };
	struct mm_config config = { .scheme = mm_schemes[scheme & 3] };

	sim = sim_create(&so);
	sim_env_init(env, sim, costs);
	oo.host = sim_host(sim);
	oracle = oracle_create(&oo);
	config.env = &env->env;
	config.observer = oracle_observer(oracle);
	config.fault_window = scheme & 4 ? 16 * PAGE : 0;
	mm = mm_create(&config);
	if (!mm)
		fuzz_fail("out of memory");
}

static void finish(void)
{
	struct oracle_result result;

	if (sim_run(sim) != 0)
		fuzz_fail("somebody waits for ever");
	if (mm_check(mm) != 0)
		fuzz_fail("an invariant is broken");
	oracle_read(oracle, &result);
	if (result.nr_missed || result.nr_violations)
		fuzz_fail("a conflict was missed");
	mm_destroy(mm);
	oracle_destroy(oracle);
	sim_destroy(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_bytes b = { data, data + size };
	uint8_t scheme = fuzz_byte(&b), nr = 1 + fuzz_byte(&b) % THREADS_MAX;
	struct sim_costs costs;
	struct sim_env env;

	for (unsigned int i = 0; i < THREADS_MAX; i++)
		players[i].nr = 0;
	for (unsigned int i = 0; b.next < b.end; i++) {
		struct player *p = &players[i % nr];

		if (p->nr == OPS_MAX)
			break;
		read_op(&b, &p->ops[p->nr], &p->gaps_ns[p->nr]);
		p->nr++;
	}
	sim_costs_default(&costs);
	begin(&env, &costs, scheme);
	for (unsigned int i = 0; i < nr; i++)
		if (!sim_spawn(sim, 0, perform, &players[i]))
			fuzz_fail("out of memory");
	finish();
	return 0;
}
