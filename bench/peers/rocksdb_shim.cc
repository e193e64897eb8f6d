/*
 * rocksdb_shim.cc - the range lock manager of RocksDB's transactions, as a peer
 *
 * A database in memory for each lock; a handle is a transaction that takes one
 * range of keys, eight bytes big-endian, and is rolled back.  Its ranges are
 * inclusive and exclusive only: readers exclude each other, as GetRangeLock()
 * takes write locks.  Built only where the library is (HAVE_ROCKSDB); rocksdb.c
 * is the peer.
 */
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/utilities/transaction.h>
#include <rocksdb/utilities/transaction_db.h>

#include "bench/peers/rocksdb.h"

using namespace ROCKSDB_NAMESPACE;

struct rocks {
	std::unique_ptr<Env> env;
	std::shared_ptr<RangeLockManagerHandle> manager;
	std::unique_ptr<TransactionDB> db;
};

static void put(char *key, uint64_t place)
{
	for (int i = 0; i < 8; i++)
		key[i] = (char)(place >> (56 - 8 * i));
}

extern "C" struct rocks *rocks_open(void)
{
	auto r = std::make_unique<rocks>();
	TransactionDBOptions transactions;
	TransactionDB *db = nullptr;
	Options options;

	r->env.reset(NewMemEnv(Env::Default()));
	r->manager.reset(NewRangeLockManager(nullptr));
	options.env = r->env.get();
	options.create_if_missing = true;
	options.write_buffer_size = 64 << 10;
	transactions.lock_mgr_handle = r->manager;
	transactions.transaction_lock_timeout = -1;
	Status s = TransactionDB::Open(options, transactions, "/rlbench", &db);
	if (!s.ok()) {
		fprintf(stderr, "rlbench: rocksdb: %s\n", s.ToString().c_str());
		return nullptr;
	}
	r->db.reset(db);
	return r.release();
}

extern "C" void rocks_close(struct rocks *r)
{
	delete r;
}

/* The last key of a range is its last byte: RocksDB's ranges are inclusive. */
extern "C" void *rocks_lock(struct rocks *r, uint64_t start, uint64_t end)
{
	TransactionOptions options;
	char first[8], last[8];

	options.lock_timeout = -1;
	put(first, start);
	put(last, end - 1);
	Transaction *t = r->db->BeginTransaction(WriteOptions(), options);
	Status s = t->GetRangeLock(r->db->DefaultColumnFamily(),
				   Endpoint(Slice(first, 8)),
				   Endpoint(Slice(last, 8)));
	if (!s.ok()) {
		fprintf(stderr, "rlbench: rocksdb: %s\n", s.ToString().c_str());
		abort();
	}
	return t;
}

extern "C" void rocks_unlock(void *transaction)
{
	auto *t = static_cast<Transaction *>(transaction);

	t->Rollback();
	delete t;
}
