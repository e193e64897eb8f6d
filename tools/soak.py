#!/usr/bin/python3
"""soak.py [--secs N] [--goal N] [--folder DIR] [--variant NAME] -- COMMAND... - a torture in parts

Runs COMMAND, a torture program with its arguments, for N seconds, or without --secs until
all runs of the same lock together have made --goal operations (10^9).  What each run did is
a line of DIR/totals.txt (build/soak): seed, commit, lock, operations, holds, rounds, failures.
The lock is a hash of include/ and rangelock/, so that a change of something else does not
begin a new sum.  An interrupt ends the run after its round; of one that is killed the next
run finds what it had done (DIR/part.txt).  Ends with the sums, and with status 1 if this run
failed, or ever one of this lock and variant.
"""

import argparse
import fcntl
import glob
import hashlib
import os
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Who is ended by one of these has found nothing; by any other, a crash.
KILLED = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
NUMBERS = ("operations", "holds", "rounds", "seconds", "failures")


def hash_of_lock():
    whole = hashlib.sha256()
    paths = glob.glob(ROOT + "/include/**/*.h", recursive=True)
    for suffix in ("[ch]", "map"):
        paths += glob.glob(ROOT + "/rangelock/**/*." + suffix, recursive=True)
    for path in sorted(paths):
        with open(path, "rb") as f:
            whole.update(os.path.relpath(path, ROOT).encode() + b"\0" + f.read())
    return whole.hexdigest()[:12]


def commit():
    said = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return said.stdout.strip() or "unknown"


def read_lines(path):
    """Each line as a dictionary; none if there is no file."""
    try:
        with open(path, encoding="utf-8") as f:
            lines = [dict(word.partition("=")[::2] for word in line.split()) for line in f]
    except FileNotFoundError:
        return []
    for line in lines:
        line.update({name: int(line.get(name, 0)) for name in NUMBERS})
    return lines


class Record:
    def __init__(self, folder):
        self.totals = os.path.join(folder, "totals.txt")
        self.part = os.path.join(folder, "part.txt")
        self.kind = os.path.join(folder, "part-of.txt")

    def begin(self, kind):
        with open(self.kind, "w", encoding="utf-8") as f:
            f.write(kind + "\n")

    def adopt(self, status):
        """What the last run did becomes a line of the totals."""
        try:
            with open(self.part, encoding="utf-8") as f, open(self.kind, encoding="utf-8") as g:
                line, kind = f.read().strip(), g.read().strip()
        except FileNotFoundError:
            return
        if status and -status not in KILLED and " failures=0 " in line:
            line = line.replace(" failures=0 ", " failures=1 ")
        with open(self.totals, "a", encoding="utf-8") as f:
            f.write("%s %s\n" % (line, kind))
        os.remove(self.part)

    def sums(self):
        """(lock, variant): the sums of all its runs."""
        sums = {}
        for line in read_lines(self.totals):
            of_kind = sums.setdefault((line["lock"], line["variant"]),
                                      dict.fromkeys(("runs",) + NUMBERS, 0))
            of_kind["runs"] += 1
            for name in NUMBERS:
                of_kind[name] += line[name]
        return sums


def run(command, record, lock_file):
    """The status of the torture; an interrupt goes to it, and it ends by itself."""
    child = subprocess.Popen(command + ["--tally", record.part], pass_fds=[lock_file.fileno()])
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return child.wait()


def show(sums, mine, goal):
    columns = ("runs",) + NUMBERS
    print("%-13s %-9s" % ("lock", "variant") + "".join("%15s" % name for name in columns))
    for key in sorted(sums, key=lambda key: key == mine):
        print("%-13s %-9s" % key + "".join("%15s" % format(sums[key][name], ",") for name in columns))
    mine = sums.get(mine, dict.fromkeys(columns, 0))
    print("soak: %s of %s operations by this lock, %.1f %%, %d failures" %
          (format(mine["operations"], ","), format(goal, ","),
           100.0 * mine["operations"] / goal, mine["failures"]))
    return mine["failures"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--secs", type=int)
    parser.add_argument("--goal", type=int, default=1000000000)
    parser.add_argument("--folder", default=os.path.join(ROOT, "build", "soak"))
    parser.add_argument("--variant", default="release")
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    record = Record(arguments.folder)
    mine = (hash_of_lock(), arguments.variant)
    os.makedirs(arguments.folder, exist_ok=True)
    with open(os.path.join(arguments.folder, "busy"), "w", encoding="utf-8") as lock_file:
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("soak.py: another one runs in " + arguments.folder)
            return 2
        record.adopt(0)
        done = record.sums().get(mine, {}).get("operations", 0)
        command = arguments.command + ["--secs", str(arguments.secs or 0)]
        if arguments.secs is None:
            command += ["--least", str(max(0, arguments.goal - done))]
        if arguments.secs is None and done >= arguments.goal:
            status = 0
        else:
            record.begin("commit=%s lock=%s variant=%s date=%s" %
                         (commit(), *mine, time.strftime("%Y-%m-%d", time.gmtime())))
            status = run(command, record, lock_file)
            record.adopt(status)
        return 1 if show(record.sums(), mine, arguments.goal) or status else 0


if __name__ == "__main__":
    sys.exit(main())
