#!/usr/bin/python3
"""test_scripts.py - `minimm script` against the running kernel, every line of it

The scripts of tests/command/scripts, and random ones (RL_SEED), run through the
command and in a process that holds nothing but the script's mappings
(tests/command/kernel.c): so also faults of every kind, brk, forks and addresses
of the system's choice must be equal, line by line.  Random scripts ask for the
mappings after every step.  SEGV_PKUERR counts as ACCERR, and the fault at an
address that is none (not canonical) as MAPERR.  A script with a line `# needs:
WORD ...' that this machine does not meet is skipped, and so is everything if the
kernel is older than the rules.  Arguments: scripts to run instead.
Ends with `N passed, M failed`, a script being one test.
"""

import ctypes
import errno
import glob
import os
import platform
import random
import re
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))
CC = ["gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-ffreestanding", "-nostdlib", "-static", "-fPIE", "-no-pie",
      "-fno-stack-protector", "-mno-red-zone", "-Wl,-Ttext-segment=0x3a0000000000", "-Wl,-z,noseparate-code",
      "-Wl,--build-id=none"]
OLDEST = (6, 18)	# mremap of several mappings; merging of what mprotect changed
NR_RANDOM, NR_STEPS = 300, 50

FLAGS = {"shared": 1, "private": 2, "shared_validate": 3, "droppable": 8, "fixed": 0x10, "anonymous": 0x20,
         "32bit": 0x40, "growsdown": 0x100, "denywrite": 0x800, "executable": 0x1000, "locked": 0x2000,
         "noreserve": 0x4000, "populate": 0x8000, "nonblock": 0x10000, "stack": 0x20000, "hugetlb": 0x40000,
         "sync": 0x80000, "noreplace": 0x100000}
ADVICE = {"normal": 0, "random": 1, "sequential": 2, "willneed": 3,
          "dontneed": 4, "free": 8}
REMAP = {"0": 0, "maymove": 1, "fixed": 2, "dontunmap": 4}
CALLS = {"mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "mremap": 25, "madvise": 28, "mlock": 149, "munlock": 150}
DO_MAPS, DO_FAULT, DO_FORK = 1000, 1001, 1002
FAULTS = {0: "= 0", 11001: "= -SEGV_MAPERR", 11002: "= -SEGV_ACCERR", 11004: "= -SEGV_ACCERR",
          11128: "= -SEGV_MAPERR", 7002: "= -SIGBUS"}


# ---- What this machine is ----

def read(path):
    try:
        with open(path, encoding="ascii") as f:
            return f.read()
    except OSError:
        return ""


def met():
    """The words of `# needs:' that hold here."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    huge = "/sys/kernel/mm/transparent_hugepage/"
    return {word for word, holds in {
        "root": os.geteuid() == 0,
        "keys": "ospke" in read("/proc/cpuinfo"),
        "overcommit": read("/proc/sys/vm/overcommit_memory").strip() == "0" and memory < 2**39,
        "hugepages": os.path.isdir(huge) and "[never]" in read(huge + "shmem_enabled"),
    }.items() if holds}


def obstacle(folder):
    """Why nothing can be compared here, or None."""
    release = tuple(int(n) for n in re.findall(r"\d+", platform.release())[:2])
    if platform.machine() != "x86_64" or sys.platform != "linux":
        return "this is not Linux on x86-64"
    if release < OLDEST:
        return "the kernel is %s, older than %d.%d" % ((platform.release(),) + OLDEST)
    done = subprocess.run(CC + [os.path.join(HERE, "kernel.c"), "-o", os.path.join(folder, "kernel")], check=False)
    if done.returncode:
        return "kernel.c does not compile"
    refused = [line for line in run_kernel(folder, []) if line.startswith("X")]
    return "prctl(PR_SET_MM_MAP): " + refused[0] if refused else None


# ---- The two sides ----

def record(words):
    """A script's line as kernel.c takes it."""
    name, *rest = words
    numbers = [int(word, 0) for word in rest[:2] if word[0].isdigit()]
    if name == "maps":
        return [DO_MAPS]
    if name == "fork":
        return [DO_FORK]
    if name == "fault":
        return [DO_FAULT, numbers[0], ord(rest[1])]
    if name == "mmap":
        numbers = [int(rest[0], 0), int(rest[1], 0), protection(rest[2]), bits(FLAGS, rest[3]), 2**64 - 1, 0]
    elif name == "mprotect":
        numbers.append(protection(rest[2]))
    elif name == "madvise":
        numbers.append(ADVICE[rest[2]])
    elif name == "mremap":
        numbers = [int(word, 0) for word in rest[:3]] + [bits(REMAP, rest[3])] + [int(word, 0) for word in rest[4:]]
    return [CALLS[name]] + numbers


def protection(letters):
    return sum(bit for bit, letter in zip((1, 2, 4), letters) if letter != "-")


def bits(names, words):
    return sum(names[word] for word in words.split(","))


def run_kernel(folder, operations):
    records = [record(words) for words in operations]
    calls = b"".join(struct.pack("<7Q", *(r + [0] * (7 - len(r)))) for r in records)
    done = subprocess.run([os.path.join(folder, "kernel")], input=calls, stdout=subprocess.PIPE, timeout=120,
                          check=False)
    return done.stdout.decode().splitlines() + ["the kernel's process ended with %d" % done.returncode
                                                for _ in range(done.returncode != 0)]


def kernel_says(words, line):
    """The lines that the command should print for it."""
    kind, _, value = line.partition(" ")
    if kind == "M":
        return [mapping for mapping in value.split(",") if mapping]
    if kind == "F":
        return [FAULTS.get(int(value), "= a signal and its code: " + value)]
    if kind != "R":
        return [line]
    if -4096 < int(value) < 0:
        return ["= -" + errno.errorcode[-int(value)]]
    return ["= 0x%x" % int(value) if words[0] in ("mmap", "mremap", "brk") else "= %d" % int(value)]


def difference(folder, lines):
    """None, or what differs first."""
    operations = [words for words in (line.split("#")[0].split() for line in lines) if words]
    kernel = run_kernel(folder, operations)
    path = os.path.join(folder, "script")
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(lines) + "\n")
    done = subprocess.run([MINIMM, "script", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    model, at = done.stdout.splitlines(), 0
    for number, words in enumerate(operations):
        want = kernel_says(words, kernel[number]) if number < len(kernel) else ["nothing"]
        nr = len(want)
        if words[0] == "maps":
            nr = next((n for n, line in enumerate(model[at:]) if line.startswith("=")), len(model) - at)
        got = model[at:at + nr]
        at += nr
        if got != want:
            return "operation %d: %s\n  kernel: %s\n  minimm: %s %s" % (
                number + 1, " ".join(words), " ".join(want), " ".join(got), done.stderr[-300:])
    if done.returncode:
        return "status %d: %s" % (done.returncode, done.stderr[-300:])
    return None


# ---- Random scripts ----

class Maker:
    """Steps over a few dozen pages somewhere, each with a taste of its own."""

    PROTECTIONS = (["rw-"], ["rw-", "r--"], ["rw-", "r--", "---"], ["rw-", "r--", "rwx", "r-x", "---", "-w-"])
    EXTRAS = ([""], ["", ",noreserve"], ["", "", ",locked"], ["", ",populate"], ["", "", ",growsdown"],
              ["", ",noreserve", ",locked", ",populate", ",growsdown", ",stack"])

    def __init__(self, rng, has_huge):
        self.rng = rng
        self.pages = rng.choice((8, 12, 24, 40))
        self.base = rng.choice((0x10000000000, 0x10000000000, 0x20000, 0x7ffffffff000 - self.pages * 0x1000,
                                0x55555555e000))
        self.protections = rng.choice(self.PROTECTIONS)
        self.extras = rng.choice(self.EXTRAS)
        self.types = rng.choice((["private"], ["private"] * 5 + ["shared"], ["private", "shared"]))
        self.huge = has_huge and rng.randrange(3) == 0
        self.weights = [4, 2, 4, rng.choice((2, 4, 8)), rng.choice((0.5, 2, 5)), rng.choice((0, 1, 2)), 1,
                        rng.choice((0, 0.3, 1)), rng.choice((0.3, 2)), 3 if self.base == 0x55555555e000 else 0.05]

    def address(self):
        odd = self.rng.choice((1, 0x800, 0xfff)) if self.rng.randrange(100) == 0 else 0
        return self.base + self.rng.randrange(self.pages) * 0x1000 + odd

    def length(self):
        chance = self.rng.randrange(100)
        length = 0x1000 * self.rng.choice((1, 1, 1, 2, 2, 3, 4, self.rng.randint(1, self.pages)))
        if chance == 0:
            return 0
        if chance == 1:
            return self.rng.choice((2**64 - 1, 2**64 - 0x1000))
        return length - self.rng.choice((1, 0xfff)) if chance < 4 else length

    def mmap(self, where):
        length = self.length()
        if where == "" and self.huge and self.rng.randrange(2):
            length = 0x200000 * self.rng.randint(1, 3) + self.rng.choice((0, 0, 0x1000, -0x1000))
        address = 0 if where == "" and self.rng.randrange(2) else self.address()
        return "mmap 0x%x 0x%x %s %s,anonymous%s%s" % (
            address, length, self.rng.choice(self.protections), self.rng.choice(self.types), where,
            self.rng.choice(self.extras))

    def step(self):
        rng = self.rng
        kind = rng.choices(("mmap", "munmap", "mprotect", "mremap", "fault", "lock", "madvise", "fork", "any", "brk"),
                           self.weights)[0]
        span = "0x%x 0x%x" % (self.address(), self.length())
        if kind == "mmap":
            return self.mmap(rng.choice((",fixed", ",fixed", ",fixed", ",noreplace")))
        if kind == "any":
            return self.mmap("")
        if kind == "mprotect":
            return "mprotect %s %s" % (span, rng.choice(self.protections))
        if kind == "madvise":
            return "madvise %s %s" % (span, rng.choice(sorted(ADVICE)))
        if kind == "lock":
            return "%s %s" % (rng.choice(("mlock", "munlock")), span)
        if kind == "fault":
            return "fault 0x%x %s" % (self.address(), rng.choice("wwwrrx"))
        if kind == "brk":
            return "brk 0x%x" % (0x555555560000 + rng.randint(-2, self.pages) * 0x1000 + rng.choice((0, 0, 1)))
        if kind == "mremap":
            old = 0 if rng.randrange(20) == 0 else self.length()
            new = old if rng.randrange(2) else self.length()
            how = rng.choice(("0", "maymove", "maymove,fixed", "maymove,fixed"))
            return "mremap 0x%x 0x%x 0x%x %s%s" % (self.address(), old, new, how,
                                                   " 0x%x" % self.address() if "fixed" in how else "")
        return "fork" if kind == "fork" else "munmap " + span


def random_script(seed, number, words):
    rng = random.Random("%d %d" % (seed, number))
    maker = Maker(rng, "hugepages" in words)
    return [line for _ in range(NR_STEPS) for line in (maker.step(), "maps")]


def shortened(folder, lines):
    """As few lines as still differ."""
    size = len(lines) // 2
    while size:
        at = 0
        while at < len(lines):
            fewer = lines[:at] + lines[at + size:]
            fewer = [l for n, l in enumerate(fewer) if l != "maps" or n == 0 or fewer[n - 1] != "maps"]
            if difference(folder, fewer):
                lines = fewer
            else:
                at += size
        size //= 2
    return lines


# ---- The run ----

def missing(lines, words):
    needs = {word for line in lines if line.startswith("# needs:") for word in line.split(":")[1].split()}
    return sorted(needs - words)


def main(paths):
    seed = int(os.environ.get("RL_SEED") or time.time_ns() % 1000000007)
    print("seed %d (rerun with RL_SEED=%d)" % (seed, seed))
    words, tests, passed, failed, skipped = met(), [], 0, 0, 0
    for path in paths or sorted(glob.glob(os.path.join(HERE, "scripts", "*.txt"))):
        tests.append((os.path.basename(path), read(path).splitlines()))
    if not paths and "root" in words:
        tests += [("random %d" % number, random_script(seed, number, words)) for number in range(NR_RANDOM)]
    ctypes.CDLL(None).personality(0x0040000)	# ADDR_NO_RANDOMIZE, for the children
    with tempfile.TemporaryDirectory() as folder:
        why = obstacle(folder)
        for name, lines in tests:
            lacks = why or ", ".join(missing(lines, words))
            if lacks:
                skipped += 1
                print("skipped %s: %s" % (name, why or "needs " + lacks))
                continue
            what = difference(folder, lines)
            passed += not what
            failed += bool(what)
            if what and failed <= 5:
                if name.startswith("random"):
                    lines = shortened(folder, lines)
                    what = difference(folder, lines)
                print("FAIL %s: %s\n  %s" % (name, what, "\n  ".join(lines)))
    if skipped:
        print("%d skipped" % skipped)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
