/*
 * json.c - a writer of JSON with a buffer of its own
 *
 * It knows for each open level whether it is an array and whether a comma is
 * due.  Cost: a call of the write function for each full buffer.
 * Weak spot: RL_JSON_DEPTH levels; the caller's nesting is fixed, so this is an
 * invariant and not an error.
 */
#include "rangelock/lock/json.h"

#include <string.h>

#include "rangelock/base/require.h"

static void flush(struct rl_json *j)
{
	if (j->used)
		j->write(j->arg, j->buffer, j->used);
	j->used = 0;
}

static void put(struct rl_json *j, char c)
{
	if (j->used == sizeof(j->buffer))
		flush(j);
	j->buffer[j->used++] = c;
}

static void put_text(struct rl_json *j, const char *text)
{
	while (*text)
		put(j, *text++);
}

static void put_number(struct rl_json *j, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		put(j, digits[--n]);
}

/* The length of the well-formed character at s, 0 if there is none: no
 * overlong forms, no surrogates, nothing above U+10FFFF. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n;
	unsigned char low = 0x80, high = 0xbf;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void put_escaped(struct rl_json *j, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		put(j, '\\');
		put(j, (char)c);
	} else if (c < 0x20 || c == 0x7f) {
		put_text(j, "\\u00");
		put(j, hex[c >> 4]);
		put(j, hex[c & 15]);
	} else {
		put(j, (char)c);
	}
}

static void put_string(struct rl_json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	put(j, '"');
	while (*s) {
		size_t n = utf8_length(s);

		if (n == 0) {
			put_text(j, "\\ufffd");
			s++;
			continue;
		}
		if (n == 1)
			put_escaped(j, *s++);
		else
			while (n--)
				put(j, (char)*s++);
	}
	put(j, '"');
}

/* What stands before a value: a comma, the key. */
static void begin_value(struct rl_json *j, const char *key)
{
	if (j->depth == 0)
		return;
	if (j->has_items[j->depth - 1])
		put(j, ',');
	j->has_items[j->depth - 1] = true;
	RL_INVARIANT(!key == j->is_array[j->depth - 1]);
	if (key) {
		put_string(j, key);
		put(j, ':');
	}
}

static void open_level(struct rl_json *j, const char *key, bool is_array)
{
	begin_value(j, key);
	RL_REQUIRE(j->depth < RL_JSON_DEPTH);
	j->is_array[j->depth] = is_array;
	j->has_items[j->depth] = false;
	j->depth++;
	put(j, is_array ? '[' : '{');
}

void rl_json_init(struct rl_json *j, rl_write_fn *write, void *arg)
{
	j->write = write;
	j->arg = arg;
	j->depth = 0;
	j->used = 0;
}

void rl_json_object(struct rl_json *j, const char *key)
{
	open_level(j, key, false);
}

void rl_json_array(struct rl_json *j, const char *key)
{
	open_level(j, key, true);
}

void rl_json_end(struct rl_json *j)
{
	RL_REQUIRE(j->depth > 0);
	j->depth--;
	put(j, j->is_array[j->depth] ? ']' : '}');
	if (j->depth == 0) {
		put(j, '\n');
		flush(j);
	}
}

void rl_json_u64(struct rl_json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	put_number(j, value);
}

void rl_json_bool(struct rl_json *j, const char *key, bool value)
{
	begin_value(j, key);
	put_text(j, value ? "true" : "false");
}

void rl_json_string(struct rl_json *j, const char *key, const char *value)
{
	begin_value(j, key);
	if (value)
		put_string(j, value);
	else
		put_text(j, "null");
}
