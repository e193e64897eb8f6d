#!/usr/bin/python3
"""test_output.py - no result of minimm's is lost in silence; MINIMM names the program

A place to write that is not there is known before anything is measured, and one
that is full ends in a message and status 3, whichever the command and whether it is
standard output or a file for --json; the table is then printed all the same.  What
a file had stays until there are results.  A name in RANGELOCK_SITES that no call
site has is said, and a grain that is none changes nothing.
Ends with `N passed, M failed`.
"""

import json
import os
import subprocess
import sys
import tempfile

from checks import check, finish

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))
TRACE = "minimm/data/javac.perf.gz"
SCRIPT = "tests/command/scripts/fault_after_changes.txt"
NOWHERE = "/nosuch/folder/x"
FULL = "/dev/full"

# What each command that takes --json runs, and how the table that it prints begins.
MEASURE = [
    (["replay", TRACE, "--scheme", "coarse"], "javac.perf.gz: "),
    (["sites", TRACE], "call sites: "),
    (["racy", "--scheme", "coarse"], "scheme "),
    (["run", "mmap1", "--turns", "2", "--reps", "1", "--threads", "1"], "mmap1: "),
]
PRINT = [arguments for arguments, _ in MEASURE] + [arguments + ["--json", "-"] for arguments, _ in MEASURE] + [
    ["script", SCRIPT], ["schemes"], ["costs"], ["--help"], ["--version"], ["replay", "--help"], ["script", "--help"]]


def run(arguments, stdout=subprocess.PIPE, sites=None, closed=False):
    environment = dict(os.environ, **({"RANGELOCK_SITES": sites} if sites else {}))
    command = ["sh", "-c", 'exec "$@" >&-', "sh"] if closed else []
    try:
        done = subprocess.run(command + [MINIMM] + arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=60, check=False, encoding="utf-8", env=environment)
    except subprocess.TimeoutExpired:
        return "ran longer than 60 s", "", ""
    return done.returncode, done.stdout, done.stderr


def check_nowhere():
    """Each would run for minutes, or hours, if it looked at the end only."""
    for arguments in (["run", "mmap1", "--seconds", "3600"], ["racy", "--threads", "1000", "--operations", "10000000"],
                      ["replay", TRACE, "--scale", "100"], ["sites", TRACE, "--scale", "100"]):
        got = run(arguments + ["--json", NOWHERE])
        check("%s: no such folder, at once" % arguments[0],
              got == (3, "", "minimm: %s: No such file or directory\n" % NOWHERE), got)


def check_full():
    for arguments, head in MEASURE:
        status, out, err = run(arguments + ["--json", FULL])
        check("%s: no room for the JSON" % arguments[0],
              status == 3 and err == "minimm: %s: cannot be written\n" % FULL, (status, err))
        check("%s: ... and a table" % arguments[0], out.startswith(head), out[:200])
    for arguments in PRINT:
        with open(FULL, "w", encoding="ascii") as full:
            status, _, err = run(arguments, stdout=full)
        check("%s: no room" % " ".join(arguments),
              status == 3 and err == "minimm: standard output: cannot be written\n", (status, err))


def check_two_statuses(folder):
    """The lower one: a missed conflict is told, whatever else there is."""
    bad = ["racy", "--scheme", "none", "--json"]
    check("a missed conflict", run(bad + ["-"])[0] == 1)
    check("... that cannot be written", run(bad + [FULL])[0] == 1)
    script = os.path.join(folder, "script")
    with open(script, "w", encoding="ascii") as f:
        f.write("brk 0\nfrobnicate\n")
    with open(FULL, "w", encoding="ascii") as full:
        check("bad input, and no room", run(["script", script], stdout=full)[0] == 2)


def check_files(folder):
    path = os.path.join(folder, "results.json")
    for arguments, head in MEASURE:
        for content in ("", "x" * 100000):
            with open(path, "w", encoding="ascii") as f:
                f.write(content)
            status, out, err = run(arguments + ["--json", path])
            with open(path, encoding="utf-8") as f:
                text = f.read()
            check("%s: a file and a table" % arguments[0], status == 0 and err == "" and out.startswith(head),
                  (status, err, out[:200]))
            check("%s: nothing is left of what was there" % arguments[0], "x" * 100 not in text and json.loads(text),
                  text[-200:])
    with open(path, "w", encoding="ascii") as f:
        f.write("kept")
    check("sites: two schemes", run(["sites", TRACE, "--scheme", "coarse,range", "--json", path])[0] == 2)
    with open(path, encoding="ascii") as f:
        check("no results, and nothing is lost", f.read() == "kept")


def check_closed(folder):
    """The file for the JSON does not take the place of standard output."""
    path = os.path.join(folder, "results.json")
    got = run(["replay", TRACE, "--scheme", "coarse", "--sites", "--json", path], closed=True)
    check("standard output is closed", got[0] == 3 and "standard output" in got[2], got)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    check("... and the JSON is whole", text.startswith("{") and json.loads(text)["schema"] == 1, text[:200])


def check_sites():
    says = 'minimm: RANGELOCK_SITES: no call site is called "%s"; there are: do_mmap, munmap, '
    for arguments in (["replay", TRACE, "--scheme", "coarse"], ["replay", TRACE, "--scheme", "none", "--json", "-"],
                      ["racy", "--scheme", "coarse"], ["run", "mmap1", "--turns", "1", "--reps", "1"],
                      ["script", SCRIPT]):
        status, _, err = run(arguments, sites=" munmpa = fine,munmap=fine, nobody=coarse")
        lines = err.split("\n")
        check("%s: names that no site has" % " ".join(arguments),
              len(lines) == 3 and all(line.startswith(says % name) for line, name in zip(lines, ("munmpa", "nobody"))),
              (status, err))
        status, _, err = run(arguments, sites="munmap=fine,populate=shadow")
        check("%s: names that they have" % " ".join(arguments), err == "", (status, err))
    replay = ["replay", TRACE, "--scheme", "range-full", "--scale", "4", "--files", "fine", "--json", "-"]
    without, ignored = run(replay), run(replay, sites="munmap=fin")
    check("a grain that is none changes nothing", without[1] and without[1] == ignored[1], ignored[1][:500])
    check("... and is said", ignored[2].count("\n") == 1 and '"munmap=fin" is ignored' in ignored[2], ignored[2])
    coarse = run(replay, sites="munmap=coarse")
    check("... one that is changes something", coarse[1] != without[1] and coarse[2] == "", coarse[2])


def main():
    check_nowhere()
    check_full()
    with tempfile.TemporaryDirectory() as folder:
        check_two_statuses(folder)
        check_files(folder)
        check_closed(folder)
    check_sites()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
