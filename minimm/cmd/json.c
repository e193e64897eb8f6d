/*
 * json.c - write JSON: 64-bit integers exact, strings escaped
 *
 * Bytes that are no UTF-8 become U+FFFD: a path may hold any byte, JSON may not.
 */
#include "minimm/cmd/json.h"

#include <inttypes.h>

/* How many bytes of valid UTF-8 begin here: 0 for none. */
static int utf8_length(const unsigned char *p)
{
	int length = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 :
		     *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

	for (int i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

static void write_string(FILE *file, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	fputc('"', file);
	while (*p) {
		int length = utf8_length(p);

		if (length == 0) {
			fputs("\\ufffd", file);
			p++;
			continue;
		}
		if (*p < 0x20 || *p == 0x7f)
			fprintf(file, "\\u%04x", *p);
		else if (*p == '"' || *p == '\\')
			fprintf(file, "\\%c", *p);
		else
			fwrite(p, 1, (size_t)length, file);
		p += length;
	}
	fputc('"', file);
}

static void begin(struct mm_json *json, const char *key)
{
	if (json->has_one)
		fputc(',', json->file);
	json->has_one = true;
	if (!key)
		return;
	write_string(json->file, key);
	fputc(':', json->file);
}

void mm_json_open(struct mm_json *json, const char *key, char bracket)
{
	begin(json, key);
	fputc(bracket, json->file);
	json->has_one = false;
}

void mm_json_close(struct mm_json *json, char bracket)
{
	fputc(bracket, json->file);
	json->has_one = true;
}

void mm_json_number(struct mm_json *json, const char *key, uint64_t number)
{
	begin(json, key);
	fprintf(json->file, "%" PRIu64, number);
}

void mm_json_real(struct mm_json *json, const char *key, double number)
{
	begin(json, key);
	fprintf(json->file, "%.6g", number);
}

void mm_json_string(struct mm_json *json, const char *key, const char *text)
{
	begin(json, key);
	write_string(json->file, text);
}

void mm_json_failure(struct mm_json *json, const char *scheme,
		     unsigned int nr_threads, const char *why)
{
	mm_json_open(json, NULL, '{');
	mm_json_string(json, "scheme", scheme);
	if (nr_threads)
		mm_json_number(json, "threads", nr_threads);
	mm_json_string(json, "why", why);
	mm_json_close(json, '}');
}
