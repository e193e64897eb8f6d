/*
 * dump.c - the counts of a process that ends by abort() or _exit()
 *
 * gcov writes them at exit() only.  In VARIANT=coverage every program is linked
 * with --wrap=abort and --wrap=_exit, so that tests which must die, and children
 * that a test forks, count too.
 */
#include <gcov.h>

_Noreturn void __real_abort(void);
_Noreturn void __wrap_abort(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

void __wrap_abort(void)
{
	__gcov_dump();
	__real_abort();
}

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
