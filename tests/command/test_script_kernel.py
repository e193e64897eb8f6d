#!/usr/bin/python3
"""test_script_kernel.py - `minimm script` against the running kernel, step by step

Random scripts in the script language run through the command and, as system
calls, on this kernel; after each step the results and the mappings must be
equal.  All of it happens in a carve-out that is otherwise empty.  To stay
comparable every mapping is MAP_NORESERVE and no address is left to the kernel.
The seed is RL_SEED's.  Weak spot: a fault is made by read(2) and write(2), which
say EFAULT for both MAPERR and ACCERR.
Ends with `N passed, M failed`, a script being one test.
"""

import ctypes
import errno
import os
import random
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))
NR_SCRIPTS, NR_STEPS = 200, 50
BASE, PAGE, NR_PAGES = 0x10000000000, 0x1000, 24
FLAGS = {"shared": 1, "private": 2, "fixed": 0x10, "anonymous": 0x20, "noreserve": 0x4000, "noreplace": 0x100000}
ADVICE = {"dontneed": 4, "free": 8}
REMAP = {"0": 0, "maymove": 1, "maymove,fixed": 3}

# Each script begins with this, so that most of what follows meets a mapping.
WHOLE = "mmap 0x%x 0x%x rw- private,anonymous,noreserve,fixed" % (BASE, NR_PAGES * PAGE)

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
CALLS = {"mmap": 9, "mprotect": 10, "munmap": 11, "mremap": 25, "madvise": 28, "mlock": 149, "munlock": 150}


def call(name, *arguments):
    """What the script language prints for this system call."""
    result = libc.syscall(ctypes.c_long(CALLS[name]), *[ctypes.c_ulong(a % 2**64) for a in arguments])
    if result == -1:
        return "= -" + errno.errorcode[ctypes.get_errno()]
    return "= 0x%x" % result if name in ("mmap", "mremap") else "= 0"


def touch(address, kind, pipe):
    if kind == "r":
        result = libc.write(pipe[1], ctypes.c_void_p(address), ctypes.c_size_t(1))
        if result == 1:
            os.read(pipe[0], 1)
    else:
        os.write(pipe[1], b"x")
        result = libc.read(pipe[0], ctypes.c_void_p(address), ctypes.c_size_t(1))
        if result != 1:
            os.read(pipe[0], 1)
    return "= 0" if result == 1 else "= -SEGV"


def kernel_maps():
    found = []
    with open("/proc/self/maps", encoding="ascii") as maps:
        for line in maps:
            span, protection = line.split()[:2]
            if BASE <= int(span.split("-")[0], 16) < BASE + NR_PAGES * PAGE:
                found.append("%s %s" % (span, protection))
    return found


def on_kernel(line, pipe):
    name, *words = line.split()
    if name == "fault":
        return touch(int(words[0], 16), words[1], pipe)
    if name == "mmap":
        protection = sum(bit for bit, letter in zip((1, 2, 4), words[2]) if letter != "-")
        return call(name, int(words[0], 16), int(words[1], 16), protection,
                    sum(FLAGS[flag] for flag in words[3].split(",")), -1, 0)
    numbers = [int(word, 16) for word in words if word.startswith("0x")]
    if name == "mprotect":
        numbers.append(sum(bit for bit, letter in zip((1, 2, 4), words[2]) if letter != "-"))
    if name == "madvise":
        numbers.append(ADVICE[words[2]])
    if name == "mremap":
        numbers = numbers[:3] + [REMAP[words[3]]] + numbers[3:]
    return call(name, *numbers)


def span_of(rng):
    """An address and a length in the carve-out; now and then an odd one."""
    start = rng.randrange(NR_PAGES)
    length = rng.randint(1, min(8, NR_PAGES - start))
    address, size = BASE + start * PAGE, length * PAGE
    odd = rng.randrange(40)
    if odd == 0:
        address += 0x10
    elif odd == 1:
        size -= 0x123
    elif odd == 2:
        size = 0
    return "0x%x 0x%x" % (address, size)


def step(rng, with_faults):
    protection = rng.choice(("rw-", "rw-", "r--", "r-x", "---"))
    kinds = ["mmap"] * 4 + ["munmap"] * 2 + ["mprotect"] * 4 + ["mremap"] * 2 + ["madvise"]
    kind = rng.choice(kinds + (["fault"] * 5 + ["mlock", "munlock"] if with_faults else []))
    if kind == "mmap":
        where = rng.choice(("fixed", "fixed", "noreplace"))
        return "mmap %s %s private,anonymous,noreserve,%s" % (span_of(rng), protection, where)
    if kind == "mprotect":
        return "mprotect %s %s" % (span_of(rng), protection)
    if kind == "madvise":
        return "madvise %s %s" % (span_of(rng), rng.choice(sorted(ADVICE)))
    if kind == "fault":
        return "fault 0x%x %s" % (BASE + rng.randrange(NR_PAGES) * PAGE, rng.choice("rw"))
    if kind == "mremap":
        old = span_of(rng)
        if rng.randrange(2):
            start = rng.randrange(NR_PAGES - 8)
            return "mremap %s 0x%x maymove,fixed 0x%x" % (old, rng.randint(1, 8) * PAGE, BASE + start * PAGE)
        size = rng.randint(1, NR_PAGES - (int(old.split()[0], 16) - BASE) // PAGE)
        return "mremap %s 0x%x 0" % (old, size * PAGE)
    return "%s %s" % (kind, span_of(rng))


def clear():
    libc.syscall(ctypes.c_long(CALLS["munmap"]), ctypes.c_ulong(BASE), ctypes.c_ulong(2 * NR_PAGES * PAGE))


def model(path):
    """The output of the command, a list a step: the result, then the mappings."""
    done = subprocess.run([MINIMM, "script", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    steps = []
    for line in done.stdout.splitlines():
        if line.startswith("="):
            steps.append([line])
        elif steps:
            steps[-1].append(line)
    return steps, "status %d %s" % (done.returncode, done.stderr[-500:]) if done.returncode else ""


def compare(lines, path, pipe):
    """None, or what differs first."""
    with open(path, "w", encoding="ascii") as f:
        f.write("".join(line + "\nmaps\n" for line in lines))
    steps, trouble = model(path)
    if trouble:
        return trouble
    clear()
    for number, line in enumerate(lines):
        want = [on_kernel(line, pipe)] + kernel_maps()
        got = list(steps[number]) if number < len(steps) else ["nothing"]
        if want[0] == "= -SEGV" and got[0] in ("= -SEGV_MAPERR", "= -SEGV_ACCERR"):
            got[0] = want[0]
        if got != want:
            return "step %d: %s\n  kernel: %s\n  minimm: %s" % (number + 1, line, want, got)
    return None


def main():
    seed = int(os.environ.get("RL_SEED") or time.time_ns() % 1000000007)
    print("seed %d (rerun with RL_SEED=%d)" % (seed, seed))
    failed = 0
    pipe = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "script.mm")
        for number in range(NR_SCRIPTS):
            rng = random.Random("%d %d" % (seed, number))
            lines = [WHOLE] + [step(rng, number % 2) for _ in range(NR_STEPS)]
            difference = compare(lines, path, pipe)
            if difference:
                failed += 1
                if failed <= 3:
                    print("FAIL script %d: %s\n  %s" % (number, difference, "\n  ".join(lines)))
    clear()
    print("%d passed, %d failed" % (NR_SCRIPTS - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
