#!/usr/bin/python3
"""test_memory.py - minimm when memory is short once; MINIMM names the program

Each allocation of a script's run, and each third of a replay's, fails once
(scarce.c): those of the library's rl_init() are among them.  The command then says
so, and ends with a status for it or by an abort; or a fork of the script fails with
ENOMEM, as Linux's does; or it did without and prints what it always prints.  It never
crashes, and never says anything else.  A command that goes through several schemes
puts what it had measured when one failed, names that one, and says so in its JSON.
Ends with `N passed, M failed`, one for each program that was run over and over.
"""

import gzip
import json
import os
import re
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


# ---- One scheme of several ----

SEVERAL = [
    ["racy", "--threads", "3", "--operations", "20"],
    ["replay", "TRACE"],
    ["run", "page_fault1", "--pages", "4000", "--turns", "1", "--reps", "2", "--threads", "1,2"],
]


def cell(row):
    """What a row is of."""
    return row["scheme"], row.get("threads", 0)


def failures(stderr):
    """{what a row would be of: repetitions that it has}, as the messages name them."""
    found = {}
    for line in stderr.decode().splitlines():
        match = (re.match(r"minimm: (\S+) with (\d+) threads: (?:the watched run|repetition (\d+) of 2): ", line) or
                 re.match(r"minimm: (?:.* under )?([a-z-]+): (?:out of memory|Cannot allocate memory)()()$", line))
        if match:
            found[match.group(1), int(match.group(2) or 0)] = int(match.group(3) or 1) - 1
    return found


def left_of(good, failed, is_run):
    """What must be there: of a run all but what failed, else what came before."""
    if not is_run:
        cells = [cell(row) for row in good]
        return good[:min(cells.index(one) for one in failed)]
    return [(cell(row), failed.get(cell(row), 2)) for row in good if failed.get(cell(row), 2)]


def wrong_json(whole, good, failed):
    """None, or what is wrong with it."""
    is_run = "workload" in whole and whole["workload"] != "racy"
    rows = whole["results"]
    got = [(cell(row), len(row["rates"])) for row in rows] if is_run else rows
    if got != left_of(good, failed, is_run):
        return "rows %s" % [cell(row) for row in rows]
    if {cell(row) for row in whole.get("failed", ())} != set(failed):
        return "failed: %s" % whole.get("failed")
    return None


def fail_in_turn(folder, arguments, number):
    """Failures of a command with --json -: (allocation, what failed, stdout)."""
    step = max(1, number // 150)
    for i in range(1, number + 1, step):
        done = run(folder, arguments + ["--json", "-"], FAIL_AT=str(i))
        failed = failures(done.stderr)
        if done.returncode == 3 and failed:
            yield i, failed, done.stdout


def wrong_table(folder, arguments, i):
    """The same failure with a table, and a file for the JSON."""
    path = os.path.join(folder, "results.json")
    with open(path, "w", encoding="ascii") as f:
        f.write("kept")
    done = run(folder, arguments + ["--json", path], FAIL_AT=str(i))
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if done.returncode != 3 or not failures(done.stderr):
        return None	# another allocation was the i-th
    if text == "kept":
        return "a table without results" if done.stdout else None
    want = [row["scheme"] for row in json.loads(text)["results"]]
    table = re.split(rb"^\S*: call sites|^False waiting", done.stdout, flags=re.M)[0]
    got = re.findall(rb"^(?: +\d  )?([a-z-]+) .* +\d", table, re.M)
    return None if [name.decode() for name in got] == want and want else "the table has %s" % got


def play_several(folder, arguments):
    """True if whatever scheme fails the results of the others are there."""
    count = os.path.join(folder, "count")
    good = json.loads(run(folder, arguments + ["--json", "-"], FAIL_COUNT=count).stdout)["results"]
    with open(count, encoding="ascii") as f:
        number = int(f.read())
    seen, wrong = {}, 0
    for i, failed, stdout in fail_in_turn(folder, arguments, number):
        try:
            complaint = wrong_json(json.loads(stdout), good, failed)
        except ValueError as error:
            complaint = "%s in %r" % (error, stdout[-200:])
        for one in failed:
            if seen.setdefault(one, i) == i:
                complaint = complaint or wrong_table(folder, arguments, i)
        if complaint:
            wrong += 1
            print("FAIL minimm %s: allocation %d failed, of %s: %s" % (" ".join(arguments), i, failed, complaint))
    print("minimm %s: %d of %d rows failed, %d with the wrong results" % (
        arguments[0], len(seen), len(good), wrong))
    # How often real threads ask for memory is theirs: not every row need be met.
    return not wrong and len(seen) >= (len(good) if arguments[0] != "run" else 2)


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
        for arguments in SEVERAL:
            results.append(play_several(folder, [trace if word == "TRACE" else word for word in arguments]))
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
