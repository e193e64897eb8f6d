#!/usr/bin/python3
"""test_run.py - workloads on real threads, from outside; MINIMM names the program

Every workload under every scheme: status 0, nothing missed, nothing broken; with
a fixed number of turns the counts are the turns', whatever the threads do; rates
are there, summed up right, and set against coarse's of the same repetition.  No
rate is held against a bound: how fast it is is no test's business.
Ends with `N passed, M failed`.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

from checks import check, finish

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))
SCHEMES = ["coarse", "coarse-mitigated", "range", "range-full"]
HEAD = {"schema", "workload", "operation", "pages", "vmas", "cpus", "repetitions", "turns", "results"}
ROW = {"scheme", "threads", "rate", "times_coarse", "rates", "turns", "operations", "calls", "pages_installed",
       "pages_cleared", "aborts", "fallbacks", "missed_conflicts", "violations"}
TURNS, REPS, PAGES, VMAS = 20, 3, 8, 4

# name, what one turn makes with PAGES and VMAS: operations, mmaps, faults
LOADS = [
    ("page_fault1", PAGES, 1, PAGES),
    ("mmap1", 1, 1, 0),
    ("mmap2", 1, 1, 0),
    ("malloc1", 1, 1, 1),
    ("spf_test", VMAS, VMAS, VMAS * PAGES),
]


def run(*arguments):
    done = subprocess.run([MINIMM, "run"] + list(arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120, check=False, encoding="utf-8")
    return done.returncode, done.stdout, done.stderr


def results(*arguments):
    status, out, err = run("--json", "-", *arguments)
    check("status of %s" % " ".join(arguments), status == 0, "%d %s" % (status, err[-500:]))
    check("nothing is said of %s" % " ".join(arguments), err == "", err[-500:])
    try:
        return json.loads(out)
    except ValueError as error:
        check("JSON of %s" % " ".join(arguments), False, "%s in %r" % (error, out[:300]))
        return {"results": []}


def near(a, b):
    return abs(a - b) <= 2e-5 * max(abs(a), abs(b))


def check_spread(name, spread, numbers):
    check(name + ": median", near(spread["median"], statistics.median(numbers)), (spread, numbers))
    check(name + ": ends", near(spread["low"], min(numbers)) and near(spread["high"], max(numbers)),
          (spread, numbers))


def check_row(name, row, coarse, a_turn):
    operations, maps, faults = a_turn
    where = "%s %s %d" % (name, row.get("scheme"), row.get("threads", 0))
    check(where + ": keys", set(row) == ROW, sorted(set(row) ^ ROW))
    check(where + ": sound", row["missed_conflicts"] == 0 and row["violations"] == 0, row)
    # The watched run has turns of its own.
    turns = row["turns"]
    check(where + ": turns", turns > REPS * TURNS * row["threads"] and turns % row["threads"] == 0, turns)
    check(where + ": operations", row["operations"] == turns * operations, row)
    calls = {kind: n * turns for kind, n in (("mmap", maps), ("munmap", maps), ("fault", faults)) if n}
    check(where + ": calls", row["calls"] == calls, (row["calls"], calls))
    check(where + ": pages", row["pages_installed"] == row["pages_cleared"] == faults * turns, row)
    check(where + ": rates", len(row["rates"]) == REPS and min(row["rates"]) > 0, row["rates"])
    check_spread(where, row["rate"], row["rates"])
    check_spread(where + " to coarse", row["times_coarse"],
                 [a / b for a, b in zip(row["rates"], coarse["rates"])])


def check_load(name, a_turn):
    arguments = [name, "--threads", "1,3", "--turns", str(TURNS), "--reps", str(REPS), "--pages", str(PAGES)]
    if name == "spf_test":
        arguments += ["--vmas", str(VMAS)]
    whole = results(*arguments)
    check(name + ": the head of the JSON", set(whole) == HEAD and whole["workload"] == name, sorted(whole))
    rows = whole["results"]
    order = [(row["threads"], row["scheme"]) for row in rows]
    check(name + ": a row each", order == [(n, s) for n in (1, 3) for s in SCHEMES], order)
    coarse = {row["threads"]: row for row in rows if row["scheme"] == "coarse"}
    for row in rows:
        check_row(name, row, coarse[row["threads"]], a_turn)


def check_table():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rates.json")
        status, out, err = run("malloc1", "--threads", "2", "--seconds", "0.005", "--reps", "2", "--scheme",
                               "range,coarse-mitigated", "--json", path)
        check("status of a table", status == 0, "%d %s" % (status, err[-500:]))
        with open(path, encoding="utf-8") as f:
            whole = json.load(f)
    check("the time is in the JSON", whole.get("run_ns") == 5000000 and "turns" not in whole, sorted(whole))
    check("no coarse, no ratio", all("times_coarse" not in row for row in whole["results"]), whole["results"])
    check("the table says so", len(re.findall(r"^ +2  (?:range|coarse-mitigated) .* n/a +n/a +n/a ", out, re.M)) == 2,
          out)
    check("what an operation is", out.startswith("malloc1: an operation is a malloc and its free; "), out[:100])


def check_default_threads():
    cpus = len(os.sched_getaffinity(0))
    rows = results("mmap1", "--turns", "1", "--reps", "1", "--scheme", "coarse")["results"]
    want = [n for n in sorted({1, cpus, 2 * cpus}) if n <= 256]
    check("threads by default", [row["threads"] for row in rows] == want, rows)


def check_files():
    for files in ("fine", "coarse"):
        rows = results("mmap2", "--files", files, "--turns", "5", "--reps", "1", "--threads", "2")["results"]
        check("files " + files, [row["scheme"] for row in rows] == SCHEMES, rows)


def check_none():
    """Alone, a thread needs no lock; with more, whatever is found is status 1."""
    row = results("spf_test", "--scheme", "none", "--threads", "1", "--turns", "5", "--reps", "1")["results"][0]
    check("one thread without locks is sound", row["violations"] == 0, row)
    status, out, err = run("malloc1", "--scheme", "none", "--threads", "4", "--turns", "3000", "--reps", "1",
                           "--pages", "8", "--json", "-")
    row = json.loads(out)["results"][0]
    broken = row["missed_conflicts"] + row["violations"] > 0
    check("what is broken is the status", status == (1 if broken else 0), (status, row))
    check("... and is said, with the scheme and the threads", broken == ("minimm: none, 4 threads: " in err), err[:300])


def main():
    for name, *a_turn in LOADS:
        check_load(name, a_turn)
    check_table()
    check_default_threads()
    check_files()
    check_none()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
