/*
 * site_config.c - parse texts like RANGELOCK_SITES's and remember the wishes
 *
 * A wish outlives its text: a site that registers later asks for its own.
 * Weak spot: a fixed number of names of a fixed length; what does not fit is
 * an entry that makes no sense.
 */
#include "rangelock/lock/site_config.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool equals(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && memcmp(text, word, length) == 0;
}

static bool grain_of(const char *text, size_t length, enum rl_grain *grain)
{
	static const char *const words[] = {
		[RL_COARSE] = "coarse",
		[RL_SHADOW] = "shadow",
		[RL_FINE] = "fine",
	};

	for (unsigned int i = 0; i <= RL_FINE; i++) {
		if (equals(text, length, words[i])) {
			*grain = (enum rl_grain)i;
			return true;
		}
	}
	return false;
}

static void trim(const char **text, size_t *length)
{
	while (*length && is_blank((*text)[0])) {
		(*text)++;
		(*length)--;
	}
	while (*length && is_blank((*text)[*length - 1]))
		(*length)--;
}

/* Returns: what is wrong with the entry, or NULL. */
static const char *parse(struct rl_site_entry *e)
{
	const char *is = memchr(e->text, '=', e->length), *name = e->text, *word;
	size_t name_length, word_length;

	if (!is)
		return "want name=grain";
	name_length = (size_t)(is - e->text);
	word = is + 1;
	word_length = e->length - name_length - 1;
	trim(&name, &name_length);
	trim(&word, &word_length);
	if (name_length == 0)
		return "there is no name";
	if (name_length >= sizeof(e->name))
		return "the name is too long";
	if (!grain_of(word, word_length, &e->grain))
		return "a grain is coarse, shadow or fine";
	memcpy(e->name, name, name_length);
	e->name[name_length] = '\0';
	return NULL;
}

bool rl_site_entry_next(const char **text, struct rl_site_entry *e)
{
	while (**text) {
		size_t length = strcspn(*text, ",");

		e->text = *text;
		e->length = length;
		*text += length;
		if (**text)
			(*text)++;
		trim(&e->text, &e->length);
		if (e->length == 0)
			continue;
		e->why = parse(e);
		return true;
	}
	return false;
}

bool rl_wishes_put(struct rl_wishes *w, const struct rl_site_entry *e)
{
	size_t i = 0;

	while (i < w->n && strcmp(w->of[i].name, e->name) != 0)
		i++;
	if (i == RL_WISHES_MAX)
		return false;
	if (i == w->n) {
		memcpy(w->of[i].name, e->name, strlen(e->name) + 1);
		w->n++;
	}
	w->of[i].grain = e->grain;
	return true;
}

bool rl_wishes_get(const struct rl_wishes *w, const char *name,
		   enum rl_grain *grain)
{
	for (size_t i = 0; i < w->n; i++) {
		if (strcmp(w->of[i].name, name) != 0)
			continue;
		*grain = w->of[i].grain;
		return true;
	}
	return false;
}
