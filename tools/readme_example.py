#!/usr/bin/python3
"""readme_example.py - print README.md's example, so that a test can run it

The first ```c block that includes <rangelock.h>.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        for block in re.findall(r"^```c\n(.*?)^```", f.read(), re.S | re.M):
            if "#include <rangelock.h>" in block:
                print(block, end="")
                return 0
    print("readme_example.py: README.md has no example", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
