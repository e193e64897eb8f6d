/*
 * kernel_side.c - operations of the model, done by the running kernel
 *
 * An access is a real one; the signal that ends it says how it went.
 */
#include "tests/model/kernel_side.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf after_access;
static volatile sig_atomic_t answer;	/* 0, 1 MAPERR, 2 ACCERR, 3 SIGBUS */
static volatile uint64_t jump_target;
static char scratch[16];

static void on_signal(int number, siginfo_t *info, void *context)
{
	const ucontext_t *c = context;

	/* The trap behind the jump: one step more, onto the page. */
	if (number == SIGTRAP &&
	    (uint64_t)c->uc_mcontext.gregs[REG_RIP] == jump_target)
		return;
	if (number == SIGTRAP)
		answer = 0;
	else if (number == SIGBUS)
		answer = 3;
	else
		answer = info->si_code == SEGV_MAPERR ? 1 : 2;
	siglongjmp(after_access, 1);
}

/* Step one instruction at addr.  Pages hold zeros: add %al,(%rax). */
static void step_at(uint64_t addr)
{
	jump_target = addr;
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tjmp *%1"
			 : : "a"(scratch), "r"(addr) : "memory", "cc");
}

static int64_t touch(const struct mm_op *op)
{
	static const int64_t answers[] = { 0, MM_SEGV_MAPERR, MM_SEGV_ACCERR,
					   MM_SIGBUS };
	volatile char *p = (volatile char *)(uintptr_t)op->addr;

	answer = 0;
	if (sigsetjmp(after_access, 1) == 0) {
		if (op->access == MM_ACCESS_READ)
			(void)*p;
		else if (op->access == MM_ACCESS_WRITE)
			*p = 0;
		else
			step_at(op->addr);
	}
	return answers[answer];
}

static int64_t fork_here(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child < 0 || waitpid(child, NULL, 0) != child ? -errno : 0;
}

static int kernel_prot(uint32_t prot)
{
	return (prot & MM_VM_READ ? PROT_READ : 0) |
	       (prot & MM_VM_WRITE ? PROT_WRITE : 0) |
	       (prot & MM_VM_EXEC ? PROT_EXEC : 0);
}

static int64_t result_of(long result)
{
	return result == -1 ? -errno : result;
}

int64_t kernel_run(const struct mm_op *op)
{
	void *at = (void *)(uintptr_t)op->addr;

	switch (op->kind) {
	case MM_MMAP:
		return result_of((long)mmap(at, op->len, kernel_prot(op->prot),
					    (int)op->flags, -1, 0));
	case MM_MUNMAP:
		return result_of(munmap(at, op->len));
	case MM_MPROTECT:
		return result_of(mprotect(at, op->len, kernel_prot(op->prot)));
	case MM_MREMAP:
		return result_of((long)mremap(at, op->len, op->new_len,
					      (int)op->flags,
					      (void *)(uintptr_t)op->new_addr));
	case MM_MADVISE:
		return result_of(madvise(at, op->len, op->advice));
	case MM_MLOCK:
		return result_of(mlock(at, op->len));
	case MM_MUNLOCK:
		return result_of(munlock(at, op->len));
	case MM_FAULT:
		return touch(op);
	case MM_FORK:
		return fork_here();
	default:
		return 0;
	}
}

void kernel_picture(struct picture *p)
{
	static char text[1 << 20];
	static int fd = -1;
	size_t length = 0;
	ssize_t n;

	p->nr = 0;
	if (fd < 0)
		fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
		exit(77);
	while ((n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	for (char *line = text; line; line = strchr(line, '\n')) {
		struct span *s = &p->spans[p->nr];

		if (*line == '\n' && *++line == '\0')
			break;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &s->start,
			   &s->end, s->prot) == 3 && kernel_inside(s->start) &&
		    p->nr < KERNEL_LINES - 1)
			p->nr++;
	}
}

void kernel_catch_signals(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	static char stack[64 << 10];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	action.sa_sigaction = on_signal;
	sigaltstack(&alternate, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGTRAP, &action, NULL);
}
