/*
 * site.h - call sites: convert a program from coarse to fine, one by one
 *
 * A site is a static object at a call site.  It always declares the range that
 * it needs; its grain says what is locked: everything (RL_COARSE), everything
 * with a check that only declared bytes are touched (RL_SHADOW), or the declared
 * range (RL_FINE).  Since every request carries both ranges, each wait is true
 * (the declared ranges conflict) or false (only the locked ones do), and is
 * charged to the pair of sites.  The report ranks the sites by the waiting that
 * converting them would remove.
 *
 * The grain can be switched at any time, and by the environment:
 *
 *	RANGELOCK_SITES="do_mmap=fine,munmap=coarse,fault=shadow"
 *	RANGELOCK_SHADOW=abort		abort at the first misuse
 *
 * The environment is read once, when the first site registers, and applies to
 * every site of that name.  An entry that makes no sense, and a name that no
 * site has by the time of a report, is said on stderr or in the report.
 *
 * A registered site stays in the registry for good: a plugin that has some must not
 * be unloaded.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef RANGELOCK_SITE_H
#define RANGELOCK_SITE_H

#include <rangelock.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rl_grain {
	RL_COARSE,
	RL_SHADOW,
	RL_FINE,
};

#define RL_SITES_MAX	255
#define RL_SITE_STRIPES	8

struct rl_site_stripe {			/* private: one cache line */
	uint64_t nr_locked[2];		/* by mode */
	uint64_t unused[6];
} __attribute__((aligned(64)));

struct rl_site {
	const char *name;
	const char *file;		/* NULL or where the site is */
	uint32_t line;
	uint32_t grain;			/* enum rl_grain; rl_site_set_grain() */
	uint32_t id;			/* 0: not registered yet */
	uint32_t nr_misused;
	struct rl_site_stripe stripes[RL_SITE_STRIPES];
};

/* static struct rl_site fault = RL_SITE_INIT("fault", RL_FINE); */
#ifdef __cplusplus
#define RL_SITE_INIT(name, grain) \
	{ name, __FILE__, __LINE__, grain, 0, 0, {} }
#else
#define RL_SITE_INIT(name, grain) \
	{ name, __FILE__, __LINE__, grain, 0, 0, { { { 0 }, { 0 } } } }
#endif

/*
 * As their namesakes without _at, for the declared range [start, end); what is
 * locked is the grain's choice at the time of the call.  EDEADLK may then come
 * from the grain: two coarse ranges of one thread always meet.  The first call at
 * a site registers it, under a guard of the whole registry; a trylock that must
 * not wait even for that comes after rl_site_register().
 */
RL_API int rl_read_lock_at(struct rangelock *lk, struct rl_range *r,
			   struct rl_site *site, uint64_t start, uint64_t end);
RL_API int rl_write_lock_at(struct rangelock *lk, struct rl_range *r,
			    struct rl_site *site, uint64_t start, uint64_t end);
RL_API int rl_read_trylock_at(struct rangelock *lk, struct rl_range *r,
			      struct rl_site *site, uint64_t start,
			      uint64_t end);
RL_API int rl_write_trylock_at(struct rangelock *lk, struct rl_range *r,
			       struct rl_site *site, uint64_t start,
			       uint64_t end);
RL_API int rl_read_lock_at_until(struct rangelock *lk, struct rl_range *r,
				 struct rl_site *site, uint64_t start,
				 uint64_t end, uint64_t deadline_ns);
RL_API int rl_write_lock_at_until(struct rangelock *lk, struct rl_range *r,
				  struct rl_site *site, uint64_t start,
				  uint64_t end, uint64_t deadline_ns);
RL_API int rl_read_submit_at(struct rangelock *lk, struct rl_range *r,
			     struct rl_site *site, uint64_t start, uint64_t end,
			     rl_granted_fn *granted);
RL_API int rl_write_submit_at(struct rangelock *lk, struct rl_range *r,
			      struct rl_site *site, uint64_t start,
			      uint64_t end, rl_granted_fn *granted);

/* Several declared ranges; unless the grain is RL_FINE, r[0] locks everything
 * and the others lean on it.  Let go with rl_unlock_many(). */
RL_API int rl_lock_many_at(struct rangelock *lk, struct rl_range *r,
			   struct rl_site *site, size_t n,
			   const struct rl_span *spans);

RL_API int rl_submit_many_at(struct rangelock *lk, struct rl_range *r,
			     struct rl_site *site, size_t n,
			     const struct rl_span *spans);

/*
 * The shadow check: is [address, address + length) inside the range that r
 * declared?  If not, r's site is charged with a misuse (and the program aborts,
 * if asked).  Requires: r is held, and was locked at a site.
 * Returns: 0; ERANGE; EINVAL for no lk or r.
 */
RL_API int rl_site_check(struct rangelock *lk, const struct rl_range *r,
			 uint64_t address, uint64_t length);

/* What a misuse does: 0 counts it, 1 aborts.  The environment's word is the
 * default. */
RL_API void rl_site_abort_on_misuse(int yes);

/*
 * Put a site into the registry (every call above does it by itself, the first
 * time).  Returns: 0; EINVAL for no site or name; ENOSPC after RL_SITES_MAX:
 * the site then works, with the grain COARSE, and is not reported.
 */
RL_API int rl_site_register(struct rl_site *site);

/* Requests that are held or queued keep the grain that they came with. */
RL_API int rl_site_set_grain(struct rl_site *site, enum rl_grain grain);
RL_API enum rl_grain rl_site_grain(const struct rl_site *site);

/* The first registered site of that name, or NULL. */
RL_API struct rl_site *rl_site_find(const char *name);

/* Apply a text like RANGELOCK_SITES's.  Returns: 0; EINVAL, with the first
 * entry that makes no sense in why (at most size bytes), nothing applied. */
RL_API int rl_sites_configure(const char *text, char *why, size_t size);

/* What is known of a site, and of a pair: whose waits, and behind whom. */
struct rl_site_stats {
	const char *name, *file;
	uint32_t line;
	enum rl_grain grain;
	uint64_t nr_locked[2];		/* by mode */
	uint64_t nr_misused;
	uint64_t nr_waits[2];		/* true, false: of its own */
	uint64_t wait_ns[2];
	uint64_t removable_ns;		/* false waiting, by whomever, that ends */
	uint64_t nr_removable;		/* ... if this site alone turns fine */
	uint64_t shared_ns;		/* ... if this one and another one do */
	uint64_t nr_shared;
};

struct rl_pair_stats {
	const char *waiter, *blocker;	/* NULL: a request without a site */
	uint64_t nr_waits[2];		/* true, false */
	uint64_t wait_ns[2];
};

/* Copy up to n; return how many there are.  Sites: the best to convert first. */
RL_API size_t rl_sites_read(struct rl_site_stats *stats, size_t n);
RL_API size_t rl_site_pairs_read(struct rl_pair_stats *stats, size_t n);

/* Zero all counters of all sites and pairs. */
RL_API void rl_sites_reset(void);

#ifdef __cplusplus
}
#endif

#endif
