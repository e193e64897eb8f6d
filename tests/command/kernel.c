/*
 * kernel.c - a process with nothing in it, on which the kernel runs a script
 *
 * Reads calls from standard input, unmaps everything but itself, lets its heap
 * begin where the model's does, and makes the calls one after the other: so every
 * address is the one that the model should say.  It has no libc, and lies where
 * no script looks (test_scripts.py links it there).  Prints a line a call:
 *
 *	R NUMBER	what the system call returned
 *	F NUMBER	a fault: 0, or signal * 1000 + si_code
 *	M LINES		the mappings, START-END PROT, a comma after each
 *	X NUMBER	this kernel does not let us begin: an error
 *
 * An instruction is fetched with the trap flag set, so it is the only one: a page
 * of zeros is `add %al,(%rax)', and %rax points at ours.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

#define NR_CALLS_MAX	20000
#define SPACE_END	0x7ffffffff000u
#define HEAP_START	0x555555560000u

enum {
	SYS_READ = 0, SYS_WRITE = 1, SYS_OPEN = 2, SYS_CLOSE = 3, SYS_MUNMAP = 11,
	SYS_SIGACTION = 13, SYS_PAUSE = 34, SYS_CLONE = 56, SYS_WAIT4 = 61,
	SYS_KILL = 62, SYS_PRCTL = 157, SYS_EXIT_GROUP = 231,
};
enum {
	SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_KILL = 9,
	SIG_SEGV = 11, SIG_CHLD = 17,
};

/* What the records may ask for beside system calls. */
enum { DO_MAPS = 1000, DO_FAULT, DO_FORK };

struct call {
	uint64_t what, arguments[6];
};

struct sigaction_of_the_kernel {
	void (*handler)(int, int *, uint64_t *);
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

extern char __executable_start[], _end[];

/* The assembly below names these. */
char stack_area[1 << 18] __attribute__((aligned(4096)));
uint64_t scratch[8], saved_stack;
void touch_read(uint64_t addr), touch_write(uint64_t addr), touch_exec(uint64_t addr);
void touch_end(void), restorer(void);

static struct call calls[NR_CALLS_MAX];
static char text[1 << 20], output[1 << 21];
static size_t output_length;
static int64_t children[NR_CALLS_MAX];
static unsigned int nr_children;
static uint64_t touched;	/* where instructions come from */
static int nr_traps;
static int64_t fault_result;

__asm__(".text\n"
	".globl _start\n"
	"_start:	lea stack_area+0x3ff00(%rip), %rsp\n"
	"	xor %ebp, %ebp\n"
	"	call run\n"
	"	hlt\n"
	"touch_read:	mov %rsp, saved_stack(%rip)\n"
	"	movb (%rdi), %al\n"
	"	ret\n"
	"touch_write:	mov %rsp, saved_stack(%rip)\n"
	"	movb $0, (%rdi)\n"
	"	ret\n"
	"touch_exec:	mov %rsp, saved_stack(%rip)\n"
	"	lea scratch(%rip), %rax\n"
	"	pushfq\n"
	"	orq $0x100, (%rsp)\n"
	"	popfq\n"
	"	jmp *%rdi\n"
	"touch_end:	ret\n"
	"restorer:	mov $15, %eax\n"
	"	syscall\n");

static int64_t call(uint64_t number, const uint64_t *a)
{
	register uint64_t a3 __asm__("r10") = a[3];
	register uint64_t a4 __asm__("r8") = a[4];
	register uint64_t a5 __asm__("r9") = a[5];
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]),
			   "r"(a3), "r"(a4), "r"(a5)
			 : "rcx", "r11", "memory");
	return result;
}

#define CALL(number, ...)	call(number, (const uint64_t[6]){ __VA_ARGS__ })

static void put_char(char c)
{
	if (output_length < sizeof(output))
		output[output_length++] = c;
}

static void put_line(char kind, int64_t value)
{
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[20];
	int nr = 0;

	put_char(kind);
	put_char(' ');
	if (value < 0)
		put_char('-');
	do {
		digits[nr++] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	while (nr)
		put_char(digits[--nr]);
	put_char('\n');
}

static void flush(void)
{
	size_t done = 0;
	int64_t n = 1;

	while (done < output_length && n > 0) {
		n = CALL(SYS_WRITE, 1, (uint64_t)output + done, output_length - done);
		done += n > 0 ? (size_t)n : 0;
	}
	output_length = 0;
}

/* ---- The mappings ---- */

static void read_maps(void)
{
	int64_t fd = CALL(SYS_OPEN, (uint64_t)"/proc/self/maps", 0, 0), n = 1;
	size_t length = 0;

	while (n > 0) {
		n = CALL(SYS_READ, (uint64_t)fd, (uint64_t)text + length,
			 sizeof(text) - 1 - length);
		length += n > 0 ? (size_t)n : 0;
	}
	CALL(SYS_CLOSE, (uint64_t)fd);
	text[length] = 0;
}

static uint64_t hex(const char **at)
{
	uint64_t value = 0;

	for (;; (*at)++) {
		char c = **at;

		if (c >= '0' && c <= '9')
			value = value * 16 + (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (uint64_t)(c - 'a') + 10;
		else
			return value;
	}
}

static int is_ours(uint64_t addr)
{
	return addr >= SPACE_END ||
	       (addr >= (uint64_t)__executable_start && addr < (uint64_t)_end);
}

static void each_mapping(void (*visit)(uint64_t start, uint64_t end, const char *line))
{
	const char *at = text, *line;
	uint64_t start, end;

	read_maps();
	while (*at) {
		line = at;
		start = hex(&at);
		at++;
		end = hex(&at);
		if (!is_ours(start))
			visit(start, end, line);
		while (*at++ != '\n')
			;
	}
}

static void unmap(uint64_t start, uint64_t end, const char *line)
{
	(void)line;
	CALL(SYS_MUNMAP, start, end - start);
}

static void put_mapping(uint64_t start, uint64_t end, const char *line)
{
	(void)start;
	(void)end;
	for (int nr_blanks = 0; (nr_blanks += *line == ' ') < 2; line++)
		put_char(*line);
	put_char(',');
}

/* ---- Faults ---- */

/* context: 5 words, then r8 to r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags */
static void on_signal(int number, int *info, uint64_t *context)
{
	uint64_t *sp = context + 20, *ip = context + 21, *flags = context + 22;

	if (number == SIG_TRAP) {
		if (nr_traps++ == 0 && *ip == touched)
			return;		/* the jump is done; now the instruction */
		fault_result = 0;
	} else {
		fault_result = number * 1000 + info[2];
	}
	*flags &= ~(uint64_t)0x100;
	*sp = saved_stack;
	*ip = (uint64_t)touch_end;
}

static int64_t fault(uint64_t addr, uint64_t kind)
{
	fault_result = 0;
	nr_traps = 0;
	touched = addr & ~(uint64_t)0xfff;	/* never over the end of a page */
	if (kind == 'r')
		touch_read(addr);
	else if (kind == 'w')
		touch_write(addr);
	else
		touch_exec(touched);
	return fault_result;
}

/* The child only exists, and writes nothing. */
static int64_t fork_child(void)
{
	int64_t pid = CALL(SYS_CLONE, SIG_CHLD);

	if (pid == 0) {
		for (uint64_t fd = 0; fd < 3; fd++)
			CALL(SYS_CLOSE, fd);
		for (;;)
			CALL(SYS_PAUSE);
	}
	if (pid < 0)
		return pid;
	children[nr_children++] = pid;
	return 0;
}

/* ---- The run ---- */

/* prctl(PR_SET_MM, PR_SET_MM_MAP): code, data, brk, stack, arguments, ... */
static int64_t move_heap(void)
{
	uint64_t here = (uint64_t)__executable_start;
	uint64_t map[13] = {
		here, here + 4096, here, here + 4096, HEAP_START, HEAP_START, here,
		here, here, here, here, 0, (uint64_t)UINT32_MAX << 32,
	};

	return CALL(SYS_PRCTL, 35, 14, (uint64_t)map, sizeof(map));
}

static void begin(void)
{
	static const int numbers[] = { SIG_ILL, SIG_TRAP, SIG_BUS, SIG_FPE, SIG_SEGV };
	/* SA_SIGINFO, SA_RESTORER, SA_NODEFER */
	struct sigaction_of_the_kernel action = { on_signal, 0x44000004, restorer, 0 };
	int64_t error;

	for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		CALL(SYS_SIGACTION, (uint64_t)numbers[i], (uint64_t)&action, 0, 8);
	each_mapping(unmap);
	error = move_heap();
	if (error)
		put_line('X', error);
}

static void make(const struct call *c)
{
	switch (c->what) {
	case DO_MAPS:
		put_char('M');
		put_char(' ');
		each_mapping(put_mapping);
		put_char('\n');
		break;
	case DO_FAULT:
		put_line('F', fault(c->arguments[0], c->arguments[1]));
		break;
	case DO_FORK:
		put_line('R', fork_child());
		break;
	default:
		put_line('R', call(c->what, c->arguments));
	}
	flush();
}

void run(void)
{
	size_t size = 0;
	int64_t n = 1;

	while (n > 0) {
		n = CALL(SYS_READ, 0, (uint64_t)calls + size, sizeof(calls) - size);
		size += n > 0 ? (size_t)n : 0;
	}
	begin();
	for (size_t i = 0; i < size / sizeof(calls[0]); i++)
		make(&calls[i]);
	flush();
	while (nr_children) {
		int64_t pid = children[--nr_children];

		CALL(SYS_KILL, (uint64_t)pid, SIG_KILL);
		CALL(SYS_WAIT4, (uint64_t)pid);
	}
	CALL(SYS_EXIT_GROUP, 0);
	__builtin_unreachable();
}
