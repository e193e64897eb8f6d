/*
 * capture.c - collect a report, and check that it is JSON
 */
#include "tests/capture.h"

#include <ctype.h>
#include <string.h>

#include "tests/backend.h"

void capture_write(void *arg, const char *text, size_t length)
{
	struct capture *c = arg;

	check_lt(c->used + length, sizeof(c->text));
	memcpy(c->text + c->used, text, length);
	c->used += length;
	c->text[c->used] = '\0';
	c->nr_pieces++;
}

static const char *skip(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

/* Each of these returns the place after what it has read, or NULL. */
static const char *value(const char *s);

static const char *string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	for (; *s != '"'; s++) {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s != '\\')
			continue;
		s++;
		if (*s == 'u') {
			for (int i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)s[i]))
					return NULL;
			s += 4;
		} else if (!*s || !strchr("\"\\/bfnrt", *s)) {
			return NULL;
		}
	}
	return s + 1;
}

static const char *members(const char *s, char end, bool has_keys)
{
	s = skip(s);
	if (*s == end)
		return s + 1;
	for (;;) {
		if (has_keys) {
			s = string(skip(s));
			if (!s || *(s = skip(s)) != ':')
				return NULL;
			s++;
		}
		s = value(s);
		if (!s)
			return NULL;
		s = skip(s);
		if (*s == end)
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static const char *number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && (n == 1 || *s != '0') ? s + n : NULL;
}

static const char *value(const char *s)
{
	static const char *const words[] = { "true", "false", "null" };

	s = skip(s);
	if (*s == '{')
		return members(s + 1, '}', true);
	if (*s == '[')
		return members(s + 1, ']', false);
	if (*s == '"')
		return string(s);
	for (int i = 0; i < 3; i++)
		if (strncmp(s, words[i], strlen(words[i])) == 0)
			return s + strlen(words[i]);
	return number(s);
}

bool is_json(const char *text)
{
	const char *end = value(text);

	return end && *skip(end) == '\0';
}
