#!/usr/bin/python3
"""run.py - which lines of rangelock/ the tests run

usage: run.py FOLDER

FOLDER was built with VARIANT=coverage.  Runs the library's tests, the
differential test and the torture, a part of each; gcovr reads what gcov counted.
Prints a row a file, the lines that nobody ran, and fails below 98 %.  Ends with
`N passed, M failed`: each program is a test, and so is the share.
"""

import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEAST = 98			# percent
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


def count(folder):
    """{path: {line: runs}} of the lines that hold code."""
    said = subprocess.run(["gcovr", "--root", ".", "--filter", "rangelock/", "--json",
                           "--object-directory", os.path.join(folder, "obj/rangelock"),
                           os.path.join(folder, "obj")],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    return {each["file"]: {line["line_number"]: line["count"] for line in each["lines"]
                           if not line.get("gcovr/noncode")}
            for each in json.loads(said)["files"]}


def report(counts):
    """Prints what there is and what is left; the share in percent."""
    covered = total = 0
    left = []
    print("%-36s %6s %6s %7s" % ("file", "lines", "run", ""))
    for path, lines in sorted(counts.items()):
        missing = sorted(number for number, runs in lines.items() if not runs)
        with open(path, encoding="utf-8") as f:
            text = f.read().split("\n")
        left += ["%s:%d: %s" % (path, number, text[number - 1].strip()) for number in missing]
        covered += len(lines) - len(missing)
        total += len(lines)
        print("%-36s %6d %6d %6.1f%%" % (path, len(lines), len(lines) - len(missing),
                                         100 * (len(lines) - len(missing)) / max(1, len(lines))))
    print("\nleft:\n%s\n" % "\n".join(left))
    share = 100 * covered / max(1, total)
    print("%d of %d lines of rangelock/: %.2f %%, at least %d %%" % (covered, total, share, LEAST))
    return share


def main(arguments):
    if len(arguments) != 1:
        print(__doc__.split("\n")[2], file=sys.stderr)
        return 2
    os.chdir(ROOT)
    forget(arguments[0])
    good = [run(arguments[0], *command) for command in PROGRAMS]
    good.append(report(count(arguments[0])) >= LEAST)
    print("%d passed, %d failed" % (good.count(True), good.count(False)))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
