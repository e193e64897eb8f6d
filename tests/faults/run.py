#!/usr/bin/python3
"""run.py - the lock on a kernel that lies

usage: run.py PROGRAM

PROGRAM is tests/faults/waits.c, built.  strace answers its system calls instead
of the kernel (-e inject): each sleep is interrupted, returns for nothing, or ends
late; membarrier is refused.  Every outcome is the same: the program's promises
hold and it ends; but for a membarrier that worked and is refused later: there it
aborts, and says why.

strace cannot tell a sleep from a wake, so where sleeps return at once wakes do
nothing; and a run in which nothing was injected has failed.  ETIMEDOUT is left
out: the C library's own locks abort for an error that they do not expect.  Ends
with `N passed, M failed`.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile

SECONDS = 120
# what it means, the system call, what strace does; calls are counted by thread
FAULTS = (
    ("no fault", "futex", None),
    ("every sleep is interrupted", "futex", "error=EINTR"),
    ("every sleep returns for nothing", "futex", "retval=0"),
    ("every sleep finds another value", "futex", "error=EAGAIN"),
    ("sleeps and wakes begin 2 ms late", "futex", "delay_enter=2000"),
    ("sleeps and wakes end 2 ms late", "futex", "delay_exit=2000"),
    ("membarrier is not there", "membarrier", "error=ENOSYS"),
    ("membarrier is forbidden", "membarrier", "error=EPERM"),
    ("membarrier asks for a second registration", "membarrier", "error=EPERM:when=2"),
)
# What worked and is refused later ends the process with a word: others rely on it.
BROKEN = ("membarrier is refused later", "membarrier", "error=EPERM:when=2+")
WORD = "membarrier(2) worked when the library was loaded, and is refused now"


def strace(program, call, fault):
    """(status, what it printed, how many calls there were, how many injected)."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as log:
        command = ["strace", "-f", "--seccomp-bpf", "-o", log.name, "-e", "trace=" + call]
        if fault:
            command += ["-e", "inject=%s:%s" % (call, fault)]
        running = subprocess.Popen(command + [program], stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            said = running.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            return "hangs", running.communicate()[0], 0, 0
        calls = [line for line in log if re.search(r"\b%s\(" % call, line)]
    injected = sum("(INJECTED)" in line or "(DELAYED)" in line for line in calls)
    return running.returncode, said, len(calls), injected


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.split("\n")[2], file=sys.stderr)
        return 2
    passed = failed = 0
    uses = {}
    for what, call, fault in FAULTS + (BROKEN,):
        if call not in uses:
            uses[call] = strace(arguments[0], call, None)[2]
        status, said, calls, injected = strace(arguments[0], call, fault)
        good = status == 0 and re.search(r"^\d+ passed, 0 failed$", said, re.M)
        if (what, call, fault) == BROKEN:
            good = status == -signal.SIGABRT and WORD in said
        if good and fault and uses[call] and not injected:
            good, said = False, "nothing was injected"
        passed += bool(good)
        failed += not good
        print("%-42s %s: %s calls, %s of them with a fault%s" % (
            what, "pass" if good else "FAIL (%s)" % status, calls, injected,
            "" if uses[call] else ": the lock makes none"))
        if not good:
            print(said[-3000:])
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
