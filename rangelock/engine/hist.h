/*
 * hist.h - which bucket of a log-linear histogram a value falls into
 *
 * rl_hist_low() and rl_hist_quantile() are public: <rangelock/stats.h>.
 */
#ifndef RL_ENGINE_HIST_H
#define RL_ENGINE_HIST_H

#include <rangelock/stats.h>

/* Values of 2^43 and more fall into the last one. */
unsigned int rl_hist_bucket(uint64_t value);

#endif
