#!/usr/bin/python3
"""test_readme.py - the README shows what `make demo` prints today

Every line of the block under "What `make demo` prints" stands in the output of
tools/demo.sh, in that order.  Ends with `N passed, M failed`.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))


def main():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        found = re.search(r"^## What `make demo` prints\n.*?^```\n(.*?)^```", f.read(), re.S | re.M)
    quoted = [line for line in found.group(1).splitlines() if line.strip()] if found else []
    demo = subprocess.run([os.path.join(ROOT, "tools/demo.sh"), MINIMM], stdout=subprocess.PIPE,
                          encoding="utf-8", check=False)
    printed = iter(demo.stdout.splitlines())
    passed = failed = 0
    for line in quoted:
        if any(line == now for now in printed):
            passed += 1
            continue
        print("README.md says what the demo does not print (here): " + line)
        failed += 1
        break
    if demo.returncode != 0 or not quoted:
        print("FAIL: demo.sh exits %d; %d lines quoted" % (demo.returncode, len(quoted)))
        failed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
