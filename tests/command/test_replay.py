#!/usr/bin/python3
"""test_replay.py - what a replay of the javac trace must show; MINIMM names it

No missed conflict under any scheme; the same command gives the same bytes; the
JSON has the keys that docs/MINIMM.md names; at scale 16 range-full removes at
least 95 % of coarse's false waiting, range some of it; 100,000 operations take
under 2 s and 1 GB (not asked of a sanitizer's build).
Ends with `N passed, M failed`.
"""

import json
import os
import resource
import subprocess
import sys
import time

from checks import check, finish

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))
IS_PLAIN = "asan" not in MINIMM
TRACE = "minimm/data/javac.perf.gz"
RESULT_KEYS = {"scheme", "operations", "waits", "wait_ns", "short", "program_order_ns", "skipped", "aborts",
               "fallbacks", "missed_conflicts", "makespan_ns", "latency_ns"}
SCHEMES = ("coarse", "coarse-mitigated", "range", "range-full")


def replay(*arguments):
    done = subprocess.run([MINIMM, "replay", TRACE] + list(arguments), cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=280, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def results(*arguments):
    """{scheme: result} of a replay that must succeed."""
    status, out, err = replay("--json", "-", *arguments)
    check("status of %s" % " ".join(arguments), status == 0, "%d %s" % (status, err[-500:]))
    text = out.decode()
    try:
        whole = json.loads(text[text.index('{"schema"'):])
    except ValueError as error:
        check("JSON of %s" % " ".join(arguments), False, "%s in %r" % (error, text[:300]))
        return {}
    check("the head of the JSON", whole.get("schema") == 1 and
          {"trace", "scale", "cpus", "seed", "results"} <= set(whole), sorted(whole))
    return {result["scheme"]: result for result in whole["results"]}


def check_results(name, by_scheme):
    check("%s: every scheme" % name, set(SCHEMES) <= set(by_scheme), sorted(by_scheme))
    for scheme, result in by_scheme.items():
        where = "%s %s" % (name, scheme)
        check(where + ": keys", RESULT_KEYS <= set(result), sorted(RESULT_KEYS - set(result)))
        check(where + ": missed conflicts", result["missed_conflicts"] == 0, result["missed_conflicts"])
        check(where + ": operations", result["operations"] > 15000, result["operations"])
        fault = result["latency_ns"]["fault"]
        check(where + ": latencies are in order", 0 < fault["p50"] <= fault["p99"] <= fault["max"], fault)
    counts = {result["operations"] for result in by_scheme.values()}
    check(name + ": the schemes do the same work", len(counts) == 1, counts)


def check_speed():
    start = time.monotonic()
    status, _, err = replay("--scheme", "coarse", "--scale", "6")
    took = time.monotonic() - start
    check("status at scale 6", status == 0, err[-500:])
    check("about 100,000 operations in under 2 s", took < 2, "%.1f s" % took)
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    check("in under 1 GB, at any scale so far", megabytes < 1024, "%.0f MB" % megabytes)


def main():
    one = results("--scheme", "all", "--scale", "1")
    check_results("scale 1", one)
    sixteen = results("--scheme", "all", "--scale", "16")
    check_results("scale 16", sixteen)
    if set(SCHEMES) <= set(sixteen):
        left = {scheme: sixteen[scheme]["wait_ns"]["false"] for scheme in SCHEMES}
        check("coarse waits falsely at scale 16", left["coarse"] > 0, left)
        check("range-full removes 95 %", left["range-full"] <= 0.05 * left["coarse"], left)
        check("range removes some", left["range"] < left["coarse"], left)
    for arguments in (["--scheme", "all", "--scale", "4"], ["--scheme", "range", "--racy", "--json", "-"]):
        first, second = replay(*arguments), replay(*arguments)
        check("the same bytes twice: %s" % " ".join(arguments), first[:2] == second[:2], first[2][-500:])
        check("status of %s" % " ".join(arguments), first[0] == 0, first[2][-500:])
    other = replay("--scheme", "coarse", "--scale", "4", "--seed", "2", "--json", "-")
    check("another seed, another run", other[1] != replay("--scheme", "coarse", "--scale", "4", "--json", "-")[1])
    if IS_PLAIN:
        check_speed()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
