#!/usr/bin/python3
"""test_memory.py - minimm when memory is short once; MINIMM names the program

Each allocation of a script's run, and each third of a replay's, fails once
(scarce.c): those of the library's rl_init() are among them.  The command then says
so, and ends with a status for it or by an abort; or a fork of the script fails with
ENOMEM, as Linux's does; or it did without and prints what it always prints.  It never
crashes, and never says anything else.
Ends with `N passed, M failed`, one for each program that was run over and over.
"""

import gzip
import os
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))
TRACE = os.path.join(ROOT, "minimm/data/javac.perf.gz")
SCRIPT = os.path.join(ROOT, "tests/command/scripts/fault_after_changes.txt")
WORDS = (b"out of memory", b"Cannot allocate memory")
STATUSES = (2, 3, -signal.SIGABRT)	# bad input (which was not read), missing, abort


def run(folder, arguments, **more):
    environment = dict(os.environ, LD_PRELOAD=os.path.join(folder, "scarce.so"), **more)
    return subprocess.run([MINIMM] + arguments, check=False, env=environment, cwd=ROOT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)


def play(folder, arguments, step):
    """True if every outcome is a stated one."""
    count = os.path.join(folder, "count")
    good = run(folder, arguments, FAIL_COUNT=count)
    with open(count, encoding="ascii") as f:
        number = int(f.read())
    wrong = did_without = 0
    for i in range(1, number + 1, step):
        done = run(folder, arguments, FAIL_AT=str(i))
        same = done.returncode == good.returncode and done.stdout == good.stdout
        did_without += same
        if same or (done.returncode in STATUSES and any(w in done.stderr for w in WORDS)):
            continue
        if (done.returncode == good.returncode and
                done.stdout.count(b"-ENOMEM") > good.stdout.count(b"-ENOMEM")):
            continue
        wrong += 1
        print("FAIL minimm %s: allocation %d failed: status %d, %r" % (
            " ".join(arguments), i, done.returncode, done.stderr[-300:]))
    print("minimm %s: %d allocations, each %s failed once, %d of no consequence, %d outcomes "
          "that are not stated" % (arguments[0], number, "third" if step == 3 else "one",
                                   did_without, wrong))
    return number > 20 and good.returncode == 0 and not wrong


def main():
    with open(MINIMM, "rb") as f:
        if b"__asan_init" in f.read():
            print("ASan has an allocator of its own: it cannot be made scarce from outside")
            print("0 passed, 0 failed")
            return 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-fPIC", "-shared",
                        "-fno-builtin", "-o", os.path.join(folder, "scarce.so"),
                        os.path.join(ROOT, "tests/command/scarce.c")], check=True)
        trace = os.path.join(folder, "head.perf")
        with gzip.open(TRACE, "rt") as whole, open(trace, "w", encoding="utf-8") as f:
            f.write(whole.read(30000).rsplit("\n", 1)[0] + "\n")
        results = [play(folder, ["script", SCRIPT], 1), play(folder, ["replay", trace], 3)]
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
