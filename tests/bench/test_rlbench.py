#!/usr/bin/python3
"""test_rlbench.py - the benchmark's driver from outside; RLBENCH names it

Each contestant excludes what it should (selftest); results survive CSV and JSON;
compare fails when a ratio is below the threshold and only then; bad input is
exit 2 or 3 with a message on stderr and nothing on stdout.  No figure is
looked at: timings have no place in a test.  Ends with `N passed, M failed`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "command"))
from checks import check, count, finish  # noqa: E402

RLBENCH = os.path.join(ROOT, os.environ.get("RLBENCH", "build/rlbench"))
SMALL = ["run", "-q", "-r", "2", "-T", "1", "-w", "uncontended", "-c", "narrow",
         "-p", "compact,pthread_rwlock"]


def rlbench(*arguments):
    done = subprocess.run([RLBENCH] + list(arguments), cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def refuses(name, code, *arguments):
    got = rlbench(*arguments)
    check(name, got[0] == code and not got[1] and got[2], got)


def test_selftest():
    code, out, err = rlbench("selftest")
    counts = re.search(r"^(\d+) passed, (\d+) failed$", out, re.M)
    check("selftest ends with its counts", counts and code == 0, (code, out[-2000:], err))
    if counts:
        count(int(counts.group(1)), int(counts.group(2)))


def test_usage():
    for option in ("--help", "-h"):
        code, out, err = rlbench(option)
        check(option, code == 0 and out.startswith("usage: rlbench") and not err, (code, err))
    refuses("no command", 2)
    refuses("unknown command", 2, "walk")
    refuses("unknown option", 2, "run", "--quickly")
    refuses("unknown contestant", 2, "run", "-p", "nobody")
    refuses("unknown baseline", 2, "run", "-b", "nobody", "-w", "bytes")
    refuses("unknown workload", 2, "run", "-w", "bytes,sleep")
    refuses("no case of that name", 2, "run", "-q", "-w", "bytes", "-c", "nowhere")
    refuses("rounds of zero", 2, "run", "-r", "0")
    refuses("rounds of more than fits", 2, "run", "-r", "1000")
    refuses("time that is no number", 2, "run", "-T", "soon")
    refuses("negative seed", 2, "run", "-s", "-1")
    refuses("a file for run", 2, "run", "x.csv")
    refuses("compare without a file", 2, "compare")
    refuses("compare with three", 2, "compare", "a", "b", "c")
    refuses("plot without a workload", 2, "plot", "a")
    refuses("plot on a strange terminal", 2, "plot", "-w", "held", "--terminal", "vt52", "a")
    refuses("compare of no file", 3, "compare", "/nonexistent.csv")
    refuses("output that cannot be written", 3, *SMALL, "--csv", "/nonexistent/x.csv")


def test_results(folder):
    csv, js = os.path.join(folder, "a.csv"), os.path.join(folder, "a.json")
    code, out, err = rlbench(*SMALL, "--seed", "77", "--csv", csv, "--json", js)
    check("run", code == 0 and "seed: 77" in out and "compact" in out, (code, out, err))
    with open(js, encoding="utf-8") as f:
        results = json.load(f)
    check("JSON: host and four rows", len(results["results"]) == 4 and
          results["host"]["seed"] == "77" and "cpu" in results["host"], results)
    base = [r for r in results["results"] if r["peer"] == "pthread_rwlock"]
    check("JSON: the baseline's ratio is 1", len(base) == 2 and all(r["ratio"] == 1 for r in base), base)
    check("CSV: host, header, four rows", len(open(csv, encoding="utf-8").read().split("\n")) >= 12)
    code, out, _ = rlbench(*SMALL, "--csv", "-")
    check("CSV on stdout, and nothing else", code == 0 and "ratio of" not in out and
          out.startswith("# cpu: ") and out.count("uncontended,") == 4, out)

    code, out, _ = rlbench("compare", "--threshold", "0.999", csv, csv)
    check("compare with itself", code == 0 and "4 compared, 0 below" in out, (code, out))
    code, out, _ = rlbench("compare", "--threshold", "1.001", csv, csv)
    check("compare with itself, over 1", code == 1 and "4 below" in out, (code, out))
    code, out, _ = rlbench("compare", "--threshold", "0.5", "-p", "pthread_rwlock", csv)
    check("the baseline against itself", code == 0 and "2 compared, 0 below" in out, (code, out))
    worse = os.path.join(folder, "worse.csv")
    with open(worse, "w", encoding="utf-8") as f:
        for line in open(csv, encoding="utf-8"):
            cells = line.rstrip("\n").split(",")
            if len(cells) > 5 and cells[4] == "compact":
                cells[-1] = str(float(cells[-1]) * 2)
            f.write(",".join(cells) + "\n")
    code, out, _ = rlbench("compare", "--threshold", "0.9", csv, worse)
    check("a ratio that doubled", code == 1 and "2 below" in out, (code, out))
    code, out, _ = rlbench("compare", "--threshold", "0.9", worse, csv)
    check("a ratio that halved", code == 0, (code, out))
    code, out, _ = rlbench("table", csv)
    check("table", code == 0 and "| compact |" in out and out.count("\n| ") == 3, out)
    refuses("table of what is not there", 2, "table", "-w", "held", csv)
    test_broken(folder, csv)
    test_plot(folder, csv)


def test_broken(folder, csv):
    text = open(csv, encoding="utf-8").read()
    for name, broken in (("no results", ""), ("no header", text.replace("workload,", "w,")),
                         ("a field less", text.replace(",compact,", ",", 1)),
                         ("a word for a number", text.replace(",ns/pair,less,", ",ns/pair,less,x", 1)),
                         ("a name too long", text.replace("compact", "c" * 90)),
                         ("cut off", text[:-12])):
        path = os.path.join(folder, "broken.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(broken)
        code, _, err = rlbench("compare", path)
        check("a file with " + name, code == 3 and "rlbench: " in err, (code, err))


def test_plot(folder, csv):
    if not shutil.which("gnuplot"):
        print("no gnuplot here: plot is not tested")
        return
    code, out, err = rlbench("plot", "-w", "uncontended", csv)
    check("plot as text", code == 0 and "uncontended" in out, (code, err))
    picture = os.path.join(folder, "a.svg")
    code, _, err = rlbench("plot", "-w", "uncontended", "--terminal", "svg", "-o", picture, csv)
    check("plot as SVG", code == 0 and "<svg" in open(picture, encoding="utf-8").read(), (code, err))
    refuses("plot of what is not there", 2, "plot", "-w", "held", csv)


def test_list():
    code, out, _ = rlbench("list")
    names = ("compact", "forest", "pthread_rwlock", "pthread_mutex", "ck_rwlock", "ck_pflock",
             "kara_bueso", "kogan", "segments", "ofd", "rocksdb", "uncontended", "held", "threads",
             "arr", "mix", "convoy", "allcoarse", "bytes")
    missing = [n for n in names if not re.search(r"^  %s\b" % n, out, re.M)]
    check("list names everything", code == 0 and not missing, missing)


def test_bars():
    code, out, err = rlbench("bars", "-q", "-r", "1", "-T", "1", "-w", "uncontended,bytes")
    check("bars end with their counts", code == 0 and
          re.search(r"^bars: \d+ met, \d+ missed$", out.strip().split("\n")[-1]), (code, out, err))


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_usage()
        test_list()
        test_results(folder)
    test_bars()
    test_selftest()
    return finish()


if __name__ == "__main__":
    sys.exit(main())
