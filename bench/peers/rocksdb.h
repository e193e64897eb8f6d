/*
 * rocksdb.h - what rocksdb_shim.cc gives to rocksdb.c
 */
#ifndef BENCH_PEERS_ROCKSDB_H
#define BENCH_PEERS_ROCKSDB_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rocks;

struct rocks *rocks_open(void);
void rocks_close(struct rocks *r);
void *rocks_lock(struct rocks *r, uint64_t start, uint64_t end);
void rocks_unlock(void *transaction);

#ifdef __cplusplus
}
#endif

#endif
