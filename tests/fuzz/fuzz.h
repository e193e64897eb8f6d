/*
 * fuzz.h - what the fuzz targets share
 *
 * A target is one function that gets any bytes and must neither crash, hang, leak
 * nor find its oracle in disagreement: then it aborts, and libFuzzer keeps the
 * bytes.  Linked with --wrap=_exit, so that a test helper which gives up by
 * _exit() is noticed too.
 */
#ifndef RL_TESTS_FUZZ_H
#define RL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what is wrong, and aborts. */
_Noreturn void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The path of a file that holds just these bytes, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* The bytes as a string, until the next call: a zero byte ends it. */
const char *fuzz_text(const uint8_t *data, size_t size);

/* Gives out the bytes one by one; zeros when there are no more. */
struct fuzz_bytes {
	const uint8_t *next, *end;
};

static inline uint8_t fuzz_byte(struct fuzz_bytes *b)
{
	return b->next < b->end ? *b->next++ : 0;
}

#endif
