#!/usr/bin/python3
"""soak_selftest.py TORTURE - do the parts of a soak add up, whatever ends them?

Plays short runs of tools/soak.py on a real torture, and on a stand-in that fails.
Ends with `N passed, M failed`.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QUICK = ["--scene", "shard", "--ops", "20"]
FAILING = """#!/bin/sh
while [ "$1" != --tally ]; do shift; done
echo "seed=1 operations=5 holds=2 rounds=1 seconds=1 failures=1 state=failed" >$2
exit 1
"""
KILLED = """#!/bin/sh
while [ "$1" != --tally ]; do shift; done
echo "seed=1 operations=5 holds=2 rounds=1 seconds=1 failures=0 state=running" >$2
kill -%s $$
"""


class Soak:
    def __init__(self, folder, torture):
        self.folder = folder
        self.torture = torture

    def command(self, *options, torture=None, arguments=QUICK):
        return [os.path.join(ROOT, "tools", "soak.py"), "--folder", self.folder, *options, "--",
                torture or self.torture, *arguments]

    def run(self, *options, **what):
        """(status, what it printed)."""
        done = subprocess.run(self.command(*options, **what), stdout=subprocess.PIPE, text=True,
                              check=False, timeout=100)
        return done.returncode, done.stdout

    def start(self):
        """A long run, in a group of its own, that has counted something."""
        child = subprocess.Popen(self.command("--secs", "600"), start_new_session=True,
                                 stdout=subprocess.DEVNULL)
        while not self.part():
            time.sleep(0.05)
        return child

    def part(self):
        try:
            with open(self.folder + "/part.txt", encoding="utf-8") as f:
                return int(re.search(r" operations=(\d+)", f.read()).group(1))
        except FileNotFoundError:
            return 0

    def lines(self):
        with open(self.folder + "/totals.txt", encoding="utf-8") as f:
            return f.read().splitlines()


def total(said):
    return int(re.search(r"^soak: ([\d,]+) of", said, re.M).group(1).replace(",", ""))


def ran(said):
    found = re.search(r"^torture, .*: (\d+) operations", said, re.M)
    return int(found.group(1)) if found else 0


def two_runs_add_up(soak):
    first, second = soak.run("--secs", "0"), soak.run("--secs", "0")
    assert first[0] == second[0] == 0, first[1] + second[1]
    assert total(first[1]) == ran(first[1]) > 0, first[1]
    assert total(second[1]) == ran(first[1]) + ran(second[1]), second[1]


def a_run_goes_on_until_the_goal_is_reached(soak):
    status, said = soak.run("--goal", "300000")
    assert status == 0 and total(said) == ran(said) >= 300000, said
    status, said = soak.run("--goal", "300000")
    assert status == 0 and ran(said) == 0 and len(soak.lines()) == 1, said


def what_a_killed_run_did_is_not_lost(soak):
    child = soak.start()
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    was = soak.part()
    status, said = soak.run("--secs", "0")
    assert status == 0 and total(said) == was + ran(said) and len(soak.lines()) == 2, said


def an_interrupted_run_ends_by_itself(soak):
    child = soak.start()
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait(timeout=100) == 0
    assert len(soak.lines()) == 1 and "state=ended" in soak.lines()[0], soak.lines()


def a_second_one_is_refused_beside_the_first(soak):
    child = soak.start()
    assert soak.run("--secs", "0")[0] == 2
    os.killpg(child.pid, signal.SIGTERM)
    assert child.wait(timeout=100) == 0


def a_failure_stays(soak):
    stand_in = soak.folder + ".torture"
    with open(stand_in, "w", encoding="utf-8") as f:
        f.write(FAILING)
    os.chmod(stand_in, 0o755)
    status, said = soak.run("--secs", "0", torture=stand_in, arguments=[])
    assert status == 1 and "1 failures" in said, said
    status, said = soak.run("--secs", "0")
    assert status == 1 and "1 failures" in said and ran(said), said


def a_crash_is_a_failure_and_a_kill_is_none(soak):
    stand_in = soak.folder + ".torture"
    for number, failures in (("KILL", 0), ("SEGV", 1)):
        with open(stand_in, "w", encoding="utf-8") as f:
            f.write(KILLED % number)
        os.chmod(stand_in, 0o755)
        said = soak.run("--secs", "0", torture=stand_in, arguments=[])[1]
        assert "%d failures" % failures in said, said


def main():
    tests = [two_runs_add_up, a_run_goes_on_until_the_goal_is_reached,
             what_a_killed_run_did_is_not_lost, an_interrupted_run_ends_by_itself,
             a_crash_is_a_failure_and_a_kill_is_none,
             a_second_one_is_refused_beside_the_first, a_failure_stays]
    failed = 0
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(Soak(folder + "/soak", os.path.abspath(sys.argv[1])))
            except (AssertionError, subprocess.TimeoutExpired) as wrong:
                print("FAIL: %s: %s" % (test.__name__, wrong))
                failed += 1
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
