#!/usr/bin/python3
"""sweep.py - the constants that were chosen by measuring, measured again

Builds rlbench once for each value of each constant, runs all of a constant in
turn, ROUNDS times, and prints the medians as ratios to the value in the source.
Run it on a machine that does nothing else: bench/sweep.py [CONSTANT...]
"""
import csv
import io
import os
import statistics
import subprocess
import sys

ROUNDS = 5
# The constant; its values, the source's first; the case and the metric to judge.
SWEEPS = {
    "RL_REOPEN": (16, (4, 64, 256), (("mix", "storm", 2, 100, "mops"),
                                     ("mix", "storm", 2, 10, "mops"))),
    "RL_ENTRY_LOOKS": (500, (1, 100, 2000), (("arr", "full", 2, 60, "mops"),
                                             ("arr", "few", 2, 80, "mops"))),
    "RL_CALM_PAIRS": (256, (1, 32, 2048), (("arr", "few", 2, 80, "mops"),
                                           ("mix", "storm", 2, 100, "mops"))),
    "RL_GUARD_PAUSES": (400, (1, 100, 4000), (("threads", "one chunk", 2, 0, "mops"),
                                              ("arr", "own", 16, 60, "mops"))),
    "RL_WAIT_LOOKS": (1000, (1, 100, 5000), (("arr", "full", 2, 60, "mops"),
                                             ("arr", "full", 8, 60, "mops"))),
}


def build(constant, value):
    """rlbench of the library with that value; its path."""
    out = "build/sweep/%s-%d" % (constant, value)
    subprocess.run(["make", "-j%d" % os.cpu_count(), "--no-print-directory", "-s",
                    "OUT=" + out, "EXTRA=-D%s=%du" % (constant, value), "benches"],
                   check=True, stdout=subprocess.DEVNULL)
    return out + "/rlbench"


def measure(program, case):
    """One run of one case: the metric."""
    workload, name, threads, n, metric = case
    text = subprocess.run([program, "run", "-w", workload, "-p", "forest", "-c", name, "-t",
                           str(threads), "-r", "1", "-T", "10", "--csv", "-"],
                          check=True, capture_output=True, text=True).stdout
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    for row in csv.DictReader(io.StringIO("\n".join(rows))):
        if (row["metric"], row["peer"], row["case"]) == (metric, "forest", name) and \
           (row["threads"], row["n"]) == (str(threads), str(n)):
            return float(row["median"])
    sys.exit("sweep.py: %s has no %s of %s" % (program, metric, name))


def sweep(constant):
    """All values of one constant, interleaved; prints a line a case."""
    first, others, cases = SWEEPS[constant]
    values = (first,) + others
    programs = {value: build(constant, value) for value in values}
    for case in cases:
        found = {value: [] for value in values}
        for _ in range(ROUNDS):
            for value in values:
                found[value].append(measure(programs[value], case))
        base = statistics.median(found[first])
        cells = ["%d: %.2f" % (value, statistics.median(found[value]) / base)
                 for value in sorted(values)]
        print("| `%s` | %s/%d/%d | %s |" % (constant, case[1], case[2], case[3],
                                            ", ".join(cells)), flush=True)


def main():
    for constant in sys.argv[1:] or SWEEPS:
        if constant not in SWEEPS:
            sys.exit("sweep.py: no constant %s; there are %s" %
                     (constant, ", ".join(SWEEPS)))
        sweep(constant)


if __name__ == "__main__":
    main()
