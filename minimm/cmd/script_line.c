/*
 * script_line.c - read and write the lines of a script
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/cmd/script_line.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORDS_MAX	8

struct line {
	char text[MM_SCRIPT_LINE];
	char *words[WORDS_MAX];
	unsigned int nr;
	char *why;
	size_t why_size;
};

struct name {
	const char *text;
	uint32_t value;
};

static const struct name map_flags[] = {
	{ "private", MM_MAP_PRIVATE },
	{ "shared", MM_MAP_SHARED },
	{ "shared_validate", MM_MAP_SHARED_VALIDATE },
	{ "droppable", MM_MAP_DROPPABLE },
	{ "anonymous", MM_MAP_ANONYMOUS },
	{ "anon", MM_MAP_ANONYMOUS },
	{ "noreserve", MM_MAP_NORESERVE },
	{ "fixed", MM_MAP_FIXED },
	{ "noreplace", MM_MAP_NOREPLACE },
	{ "fixed_noreplace", MM_MAP_NOREPLACE },
	{ "populate", MM_MAP_POPULATE },
	{ "nonblock", MM_MAP_NONBLOCK },
	{ "locked", MM_MAP_LOCKED },
	{ "growsdown", MM_MAP_GROWSDOWN },
	{ "stack", MM_MAP_STACK },
	{ "hugetlb", MM_MAP_HUGETLB },
	{ "sync", MM_MAP_SYNC },
	{ "32bit", MM_MAP_32BIT },
	{ "denywrite", MM_MAP_DENYWRITE },
	{ "executable", MM_MAP_EXECUTABLE },
	{ "file", 0 },
	{ "0", 0 },
	{ NULL, 0 },
};

static const struct name remap_flags[] = {
	{ "maymove", MM_REMAP_MAYMOVE },
	{ "fixed", MM_REMAP_FIXED },
	{ "dontunmap", MM_REMAP_DONTUNMAP },
	{ "0", 0 },
	{ NULL, 0 },
};

static const struct name advices[] = {
	{ "dontneed", MM_ADV_DONTNEED },
	{ "free", MM_ADV_FREE },
	{ "normal", MM_ADV_NORMAL },
	{ "random", MM_ADV_RANDOM },
	{ "sequential", MM_ADV_SEQUENTIAL },
	{ "willneed", 3 },
	{ "dontfork", MM_ADV_DONTFORK },
	{ "dofork", MM_ADV_DOFORK },
	{ "hugepage", MM_ADV_HUGEPAGE },
	{ "nohugepage", MM_ADV_NOHUGEPAGE },
	{ "dontdump", MM_ADV_DONTDUMP },
	{ "dodump", MM_ADV_DODUMP },
	{ NULL, 0 },
};

__attribute__((format(printf, 2, 3)))
static int refuse(struct line *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(l->why, l->why_size, format, args);
	va_end(args);
	return -1;
}

/* ---- Words ---- */

static int read_number(struct line *l, const char *word, uint64_t *n)
{
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return refuse(l, "`%s' is no number", word);
	errno = 0;
	*n = strtoull(word, &end, strncasecmp(word, "0x", 2) == 0 ? 16 : 10);
	if (*end != '\0')
		return refuse(l, "`%s' is no number", word);
	if (errno == ERANGE)
		return refuse(l, "`%s' does not fit into 64 bits", word);
	return 0;
}

static int read_prot(struct line *l, const char *word, uint32_t *prot)
{
	static const char letters[] = "rwx";
	static const uint32_t bits[] = { MM_VM_READ, MM_VM_WRITE, MM_VM_EXEC };

	*prot = 0;
	if (strlen(word) != 3)
		return refuse(l, "`%s' is no protection like rw-", word);
	for (int i = 0; i < 3; i++) {
		if (word[i] == letters[i])
			*prot |= bits[i];
		else if (word[i] != '-')
			return refuse(l, "`%s' is no protection like rw-", word);
	}
	return 0;
}

static const struct name *find_name(const struct name *names, const char *word,
				    size_t length)
{
	for (; names->text; names++)
		if (strlen(names->text) == length &&
		    strncmp(names->text, word, length) == 0)
			return names;
	return NULL;
}

static int read_flags(struct line *l, const struct name *names,
		      const char *word, uint32_t *flags)
{
	*flags = 0;
	for (;;) {
		size_t length = strcspn(word, ",");
		const struct name *name = find_name(names, word, length);

		if (!name)
			return refuse(l, "unknown flag `%.*s'", (int)length, word);
		*flags |= name->value;
		if (word[length] == '\0')
			return 0;
		word += length + 1;
	}
}

/* ---- Operations ---- */

static int read_span(struct line *l, struct mm_op *op)
{
	return read_number(l, l->words[1], &op->addr) ||
	       read_number(l, l->words[2], &op->len) ? -1 : 0;
}

static int read_mmap(struct line *l, struct mm_op *op)
{
	return read_span(l, op) || read_prot(l, l->words[3], &op->prot) ||
	       read_flags(l, map_flags, l->words[4], &op->flags) ? -1 : 0;
}

static int read_mprotect(struct line *l, struct mm_op *op)
{
	return read_span(l, op) || read_prot(l, l->words[3], &op->prot) ? -1 : 0;
}

static int read_madvise(struct line *l, struct mm_op *op)
{
	const char *word = l->words[3];
	const struct name *name = find_name(advices, word, strlen(word));

	if (!name)
		return refuse(l, "unknown advice `%s'", word);
	op->advice = (int32_t)name->value;
	return read_span(l, op);
}

static int read_mremap(struct line *l, struct mm_op *op)
{
	if (read_span(l, op) || read_number(l, l->words[3], &op->new_len) ||
	    read_flags(l, remap_flags, l->words[4], &op->flags))
		return -1;
	if (l->nr > 5)
		return read_number(l, l->words[5], &op->new_addr);
	if (op->flags & MM_REMAP_FIXED)
		return refuse(l, "`fixed' needs the new address");
	return 0;
}

static int read_brk(struct line *l, struct mm_op *op)
{
	return read_number(l, l->words[1], &op->addr);
}

static int read_fault(struct line *l, struct mm_op *op)
{
	const char *word = l->words[2];
	const char *at = strlen(word) == 1 ? strchr("rwx", word[0]) : NULL;

	if (!at)
		return refuse(l, "`%s' is no access: r, w or x", word);
	op->access = *at == 'r' ? MM_ACCESS_READ
		     : *at == 'w' ? MM_ACCESS_WRITE : MM_ACCESS_EXEC;
	return read_number(l, l->words[1], &op->addr);
}

static const struct form {
	const char *name;
	enum mm_kind kind;
	unsigned int min, max;		/* words, with the name */
	int (*read)(struct line *l, struct mm_op *op);
	const char *usage;
} forms[] = {
	{ "mmap", MM_MMAP, 5, 5, read_mmap, "ADDR LEN PROT FLAG,..." },
	{ "munmap", MM_MUNMAP, 3, 3, read_span, "ADDR LEN" },
	{ "mprotect", MM_MPROTECT, 4, 4, read_mprotect, "ADDR LEN PROT" },
	{ "madvise", MM_MADVISE, 4, 4, read_madvise,
	  "ADDR LEN dontneed|free" },
	{ "mlock", MM_MLOCK, 3, 3, read_span, "ADDR LEN" },
	{ "munlock", MM_MUNLOCK, 3, 3, read_span, "ADDR LEN" },
	{ "mremap", MM_MREMAP, 5, 6, read_mremap,
	  "OLD OLDLEN NEWLEN 0|FLAG,... [NEW]" },
	{ "brk", MM_BRK, 2, 2, read_brk, "ADDR" },
	{ "fault", MM_FAULT, 3, 3, read_fault, "ADDR r|w|x" },
	{ "maps", MM_MAPS, 1, 1, NULL, "" },
	{ "fork", MM_FORK, 1, 1, NULL, "" },
};

#define NR_FORMS	(sizeof(forms) / sizeof(forms[0]))

/* Split into words; a # and what follows is no word. */
static int split(struct line *l, const char *text)
{
	char *at = l->text;

	size_t length = strcspn(text, "#\r\n");

	if (length >= sizeof(l->text))
		return refuse(l, "the line is longer than %d characters",
			      MM_SCRIPT_LINE - 1);
	memcpy(l->text, text, length);
	at[length] = '\0';
	for (;;) {
		at += strspn(at, " \t\v\f");
		if (*at == '\0')
			return 0;
		if (l->nr == WORDS_MAX)
			return refuse(l, "too many words");
		l->words[l->nr++] = at;
		at += strcspn(at, " \t\v\f");
		if (*at != '\0')
			*at++ = '\0';
	}
}

int mm_script_read_line(const char *line, struct mm_op *op, char *why,
			size_t size)
{
	struct line l = { .nr = 0, .why = why, .why_size = size };

	*op = (struct mm_op){ .addr = 0 };
	if (split(&l, line))
		return -1;
	if (l.nr == 0)
		return 0;
	for (size_t i = 0; i < NR_FORMS; i++) {
		const struct form *f = &forms[i];

		if (strcmp(l.words[0], f->name) != 0)
			continue;
		op->kind = f->kind;
		if (l.nr < f->min || l.nr > f->max)
			return refuse(&l, "it should be: %s%s%s", f->name,
				      *f->usage ? " " : "", f->usage);
		return f->read && f->read(&l, op) ? -1 : 1;
	}
	return refuse(&l, "unknown operation `%s'", l.words[0]);
}

/* ---- Writing ---- */

static bool has_name(const struct name *names, uint32_t value)
{
	for (; names->text; names++)
		if (names->value == value)
			return true;
	return false;
}

/* type: the bits that are one number, not flags; a number without a name is
 * written as names that make it up. */
static void write_flags(const struct name *names, uint32_t flags, uint32_t type,
			char *text, size_t size)
{
	size_t length = 0;

	if (!has_name(names, flags & type))
		type = 0;

	text[0] = '\0';
	for (; names->text; names++) {
		uint32_t v = names->value;
		uint32_t there = flags & (v & type ? type : v);

		if (v == 0 || there != v)
			continue;
		length += (size_t)snprintf(text + length, size - length, "%s%s",
					   length ? "," : "", names->text);
		flags &= ~v;
	}
	if (length == 0)
		snprintf(text, size, "0");
}

const char *mm_script_write_line(const struct mm_op *op, char *text,
				 size_t size)
{
	static const char access[] = "rwx";
	char flags[160], prot[4] = { op->prot & MM_VM_READ ? 'r' : '-',
				     op->prot & MM_VM_WRITE ? 'w' : '-',
				     op->prot & MM_VM_EXEC ? 'x' : '-', '\0' };
	const char *name = mm_kind_name(op->kind);
	int n;

	switch (op->kind) {
	case MM_MMAP:
		write_flags(map_flags, op->flags, MM_MAP_TYPE, flags,
			    sizeof(flags));
		snprintf(text, size, "mmap 0x%" PRIx64 " 0x%" PRIx64 " %s %s",
			 op->addr, op->len, prot, flags);
		break;
	case MM_MPROTECT:
		snprintf(text, size, "mprotect 0x%" PRIx64 " 0x%" PRIx64 " %s",
			 op->addr, op->len, prot);
		break;
	case MM_MADVISE:
		for (n = 0; advices[n].text; n++)
			if ((int32_t)advices[n].value == op->advice)
				break;
		snprintf(text, size, "madvise 0x%" PRIx64 " 0x%" PRIx64 " %s",
			 op->addr, op->len,
			 advices[n].text ? advices[n].text : "?");
		break;
	case MM_MREMAP:
		write_flags(remap_flags, op->flags, 0, flags, sizeof(flags));
		n = snprintf(text, size, "mremap 0x%" PRIx64 " 0x%" PRIx64
			     " 0x%" PRIx64 " %s", op->addr, op->len,
			     op->new_len, flags);
		if (op->flags & (MM_REMAP_FIXED | MM_REMAP_DONTUNMAP))
			snprintf(text + n, size - (size_t)n, " 0x%" PRIx64,
				 op->new_addr);
		break;
	case MM_BRK:
		snprintf(text, size, "brk 0x%" PRIx64, op->addr);
		break;
	case MM_FAULT:
		snprintf(text, size, "fault 0x%" PRIx64 " %c", op->addr,
			 access[op->access]);
		break;
	case MM_MUNMAP:
	case MM_MLOCK:
	case MM_MUNLOCK:
		snprintf(text, size, "%s 0x%" PRIx64 " 0x%" PRIx64, name,
			 op->addr, op->len);
		break;
	default:
		snprintf(text, size, "%s", name);
		break;
	}
	return text;
}
