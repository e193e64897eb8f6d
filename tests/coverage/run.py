#!/usr/bin/python3
"""run.py - which lines of rangelock/ the tests run, and which ways of its branches

usage: run.py FOLDER

FOLDER was built with VARIANT=coverage.  Runs the library's tests, the
differential test and the torture, a part of each; gcovr reads what gcov counted.
Prints a row a file, the lines that nobody ran, and fails below 98 %.

Locking, unlocking, queueing, closing and opening (GATED) must go each way of each
branch, but for those that branches.list names with a reason: not one more, and not
one less, so that the list stays true.  The failing side of an RL_INVARIANT needs no
reason.  Ends with `N passed, M failed`: each program is a test, and so are the share
of lines, the branches, and that a wrong list is noticed.
"""

import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIST = "tests/coverage/branches.list"
LEAST = 98			# percent
GATED = tuple("rangelock/" + name for name in """
    base/spin.c base/spin.h tree/itree.c tree/itree.h
    engine/arbiter.c engine/deadlock.c engine/entries.c engine/entries.h engine/forest.c
    engine/forest.h engine/grant.c engine/readers.c engine/request.h engine/shards.c
    engine/shards.h engine/wait.c engine/wait_account.c
    lock/ask.c lock/ask.h lock/change.c lock/lock.c lock/lock_at.c lock/many.c
    lock/submit.c""".split())
PROGRAMS = (("tests/lib",), ("stress/differential", "--ops", "200000"),
            ("stress/torture", "--secs", "10", "--ops", "200"))


def forget(folder):
    """What earlier runs counted."""
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".gcda"):
                os.unlink(os.path.join(where, name))


def run(folder, program, *arguments):
    environment = dict(os.environ)
    environment.setdefault("RL_TEST_PERCENT", "20")
    environment.setdefault("RL_TEST_SLOWER", "5")
    done = subprocess.run([os.path.join(folder, program)] + list(arguments), check=False,
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode:
        print("%s\nFAIL: %s: status %d" % (done.stdout[-4000:], program, done.returncode))
    return done.returncode == 0


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read().split("\n")


def count(folder):
    """{path: {line: (runs, [runs of each branch])}} of the lines that hold code."""
    said = subprocess.run(["gcovr", "--root", ".", "--filter", "rangelock/", "--json",
                           "--object-directory", os.path.join(folder, "obj/rangelock"),
                           os.path.join(folder, "obj")],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    return {each["file"]: {line["line_number"]: (line["count"], [branch["count"] for branch
                                                                 in line["branches"]])
                           for line in each["lines"] if not line.get("gcovr/noncode")}
            for each in json.loads(said)["files"]}


def report(counts):
    """Prints what there is and what is left; the share in percent."""
    covered = total = 0
    left = []
    print("%-36s %6s %6s %7s" % ("file", "lines", "run", ""))
    for path, lines in sorted(counts.items()):
        missing = sorted(number for number, (runs, _) in lines.items() if not runs)
        text = text_of(path)
        left += ["%s:%d: %s" % (path, number, text[number - 1].strip()) for number in missing]
        covered += len(lines) - len(missing)
        total += len(lines)
        print("%-36s %6d %6d %6.1f%%" % (path, len(lines), len(lines) - len(missing),
                                         100 * (len(lines) - len(missing)) / max(1, len(lines))))
    print("\nleft:\n%s\n" % "\n".join(left))
    share = 100 * covered / max(1, total)
    print("%d of %d lines of rangelock/: %.2f %%, at least %d %%" % (covered, total, share, LEAST))
    return share


def read_list(lines):
    """{(path, text): (least, most, reason)} from FILE, how many, TEXT and why, tabs between.
    How many is a number; with ? whether it is gone is left to chance."""
    listed = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            path, number, text, reason = line.rstrip("\n").split("\t")
            most = int(number.rstrip("?"))
            listed[path, text] = (0 if number.endswith("?") else most, most, reason)
    return listed


def branches_left(counts, texts):
    """{(path, text): ways not gone} of the gated files, and how many ways there are."""
    left = {}
    total = 0
    for path in GATED:
        for number, (_, branches) in sorted(counts.get(path, {}).items()):
            text = texts(path)[number - 1].strip()
            total += len(branches)
            missing = branches.count(0)
            if missing and not text.startswith("RL_INVARIANT("):
                left[path, text] = left.get((path, text), 0) + missing
    return left, total


def judge_branches(left, listed):
    """What is wrong, a line each."""
    wrong = []
    for key in sorted(set(left) | set(listed)):
        least, most, _ = listed.get(key, (0, 0, ""))
        found = left.get(key, 0)
        if found > most:
            wrong.append("%s: %d ways not gone, %d listed: %s" % (key[0], found, most, key[1]))
        elif found < least:
            wrong.append("%s: listed, but %d of %d were gone (or the line is another): %s" % (
                key[0], least - found, least, key[1]))
    return wrong


def selftest():
    """Does the gate notice a way that is not gone, and one that is listed and was?"""
    path = GATED[0]
    counts = {path: {1: (9, [4, 0]), 2: (9, [0, 5]), 3: (9, [1, 0])}}
    text = ["\tif (a)", "\tRL_INVARIANT(b);", "\tif (c)"]
    left, total = branches_left(counts, lambda _: text)
    good = {(path, "if (a)"): (1, 1, ""), (path, "if (c)"): (0, 1, "")}
    return (total == 6 and left == {(path, "if (a)"): 1, (path, "if (c)"): 1} and
            not judge_branches(left, good) and
            not judge_branches({(path, "if (a)"): 1}, good) and
            len(judge_branches({(path, "if (c)"): 1}, good)) == 1 and
            len(judge_branches(left, {})) == 2 and
            len(judge_branches({(path, "if (a)"): 2}, good)) == 1)


def report_branches(counts):
    left, total = branches_left(counts, text_of)
    with open(LIST, encoding="utf-8") as f:
        listed = read_list(f)
    print("\nbranches of locking, unlocking, queueing, closing and opening, left with a reason:")
    for key, number in sorted(left.items()):
        if key in listed:
            print("%s: %d: %s: %s" % (key[0], number, key[1], listed[key][2]))
    wrong = judge_branches(left, listed)
    for line in wrong:
        print("FAIL", line)
    print("%d ways of branches in %d files: %d not gone, %d of them without a reason"
          % (total, sum(path in counts for path in GATED), sum(left.values()),
             sum(number for key, number in left.items() if key not in listed)))
    return not wrong


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.split("\n")[2], file=sys.stderr)
        return 2
    os.chdir(ROOT)
    forget(arguments[0])
    good = [run(arguments[0], *command) for command in PROGRAMS]
    counts = count(arguments[0])
    good += [report(counts) >= LEAST, report_branches(counts), selftest()]
    print("%d passed, %d failed" % (good.count(True), good.count(False)))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
