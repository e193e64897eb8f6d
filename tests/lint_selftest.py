#!/usr/bin/python3
"""lint_selftest.py - can each rule of tools/lint.py fail?

Plants one violation at a time in a small house of its own that breaks no rule,
and looks for the rule's complaint.
Ends with `N passed, M failed`.
"""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
import lint  # noqa: E402

GOOD = {
    "include/rangelock.h": "#include <stdint.h>\nstruct rangelock { uint64_t word; };\n",
    "rangelock/base/atomic.h": "/* (W9) release: an example */\n#include <stdatomic.h>\n"
                               "int rl_load_acquire(int *p);\nvoid rl_store_release(int *p, int v);\n",
    "rangelock/base/park.c": '/*\n * park.c - sleeps\n */\n#include <pthread.h>\n'
                             'void f(void)\n{\n\tsyscall(SYS_futex);\n'
                             '\t/* (W1) acquire: sees it */\n\trl_load_acquire(p);\n}\n',
    "rangelock/tree/tree.c": '/*\n * tree.c - a tree; no malloc() here\n */\n'
                             '#include <rangelock.h>\n#include "rangelock/base/atomic.h"\n'
                             'const char *name = "pthread_self() urcu";\n'
                             'void g(void)\n{\n\t/* (W1) release: publishes it */\n'
                             '\trl_store_release(p, 1);\n}\n',
    "minimm/vma/vma.c": '/*\n * vma.c - vmas\n */\n#include <rangelock.h>\n#include "minimm/env/x.h"\n',
    "minimm/env/x.h": "/* x.h - nothing ordered: rl_ledger_release() */\nint n = rl_ledger_release(l);\n",
    "tests/test_park.c": '/* Goal: park. */\n#include "rangelock/base/atomic.h"\n',
    "tests/test_tree.c": "/* Goal: tree. */\n",
    "docs/ORDERING.md": "| tag | why |\n|---|---|\n| W1 | the grant |\n",
}

TREE = GOOD["rangelock/tree/tree.c"]
PARK = GOOD["rangelock/base/park.c"]
VMA = GOOD["minimm/vma/vma.c"]

# rule, file, what it holds instead, or None to leave it out
VIOLATIONS = [
    ("includes", "rangelock/tree/tree.c", TREE + '#include "rangelock/engine/arbiter.h"\n'),
    ("includes", "rangelock/base/park.c", PARK + '#include "tests/backend.h"\n'),
    ("includes", "minimm/vma/vma.c", VMA + '#include "rangelock/base/atomic.h"\n'),
    ("includes", "minimm/vma/vma.c", VMA + '#include "minimm/mm/mm.h"\n'),
    ("includes", "minimm/odd/odd.h", "/* odd.h - on no floor */\n"),
    ("includes", "include/rangelock/site.h", '#include "rangelock/base/atomic.h"\n'),
    ("liburcu", "rangelock/tree/tree.c", TREE + "#include <urcu/urcu-memb.h>\n"),
    ("liburcu", "rangelock/base/park.c", PARK + "int i = ck_pr_load_int(&j);\n"),
    ("syscalls", "rangelock/tree/tree.c", TREE + "long n = syscall(1);\n"),
    ("syscalls", "rangelock/tree/tree.c", TREE + "int n = clock_gettime(0, &t);\n"),
    ("syscalls", "rangelock/tree/tree.c", TREE + "#include <pthread.h>\n"),
    ("syscalls", "rangelock/tree/tree.c", TREE + "char *p = malloc(3);\n"),
    ("atomics", "rangelock/tree/tree.c", TREE + "#include <stdatomic.h>\n"),
    ("atomics", "rangelock/base/park.c", PARK + "int i = __atomic_load_n(&j, 0);\n"),
    ("atomics", "minimm/vma/vma.c", VMA + "int i = __sync_fetch_and_add(&j, 1);\n"),
    ("ordering", "rangelock/tree/tree.c", TREE.replace("(W1) release", "nothing")),
    ("ordering", "rangelock/base/park.c", PARK.replace("/* (W1) acquire: sees it */\n", "\n" * 9)),
    ("ordering", "docs/ORDERING.md", ""),
    ("ordering", "docs/ORDERING.md", GOOD["docs/ORDERING.md"] + "| W2 | gone |\n"),
    ("ordering", "rangelock/tree/tree.c", TREE + "\n" * 8 + "int i = rl_load_acquire(&j);\n"),
    ("size", "rangelock/tree/tree.c", TREE + "\n" * 600),
    ("size", "tests/test_tree.c", "/* Goal: tree. */\nvoid f(int a,\n\tint b)\n{\n" + "\ta++;\n" * 67 + "}\n"),
    ("size", "tests/test_tree.c", "/* Goal: tree. */\nTest(a, b) {\n" + "\ta++;\n" * 69 + "}\n"),
    ("size", "rangelock/tree/tree.c", TREE + "\t" * 12 + "wide;\n"),
    ("headers", "include/rangelock.h", "uint64_t no_stdint_here;\n"),
    ("headers", "include/rangelock.h", "int class;\n"),
    ("headers", "include/rangelock.h", "static int f(int a) { return ({ a; }); }\n"),
    ("words", "README.md", "see /wo" "rk/main\n"),
    ("words", "tests/test_tree.c", "/* Goal: tree. TO" "DO */\n"),
    ("heads", "rangelock/tree/tree.c", TREE.replace("tree.c -", "bush.c -")),
    ("heads", "minimm/vma/vma.c", "\n" + VMA),
    ("tests", "tests/test_tree.c", None),
    ("tests", "tests/test_park.c", "/* some park */\n"),
]


def complaints(changes):
    """{rule: [path, ...]} for the good house with some files changed."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**GOOD, **changes}.items():
            if text is None:
                continue
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        tree = lint.Tree(root)
        rules = lint.RULES
        if not any(path.startswith("include/") for path in changes):
            rules = {name: rule for name, rule in rules.items() if name != "headers"}
        found = {name: [path for path, _, _ in rule(tree)] for name, rule in rules.items()}
    return {name: paths for name, paths in found.items() if paths}


def main():
    passed = failed = 0
    cases = [(None, None, {})] + [(r, p, {p: text}) for r, p, text in VIOLATIONS]
    for rule, path, changes in cases:
        found = complaints(changes)
        right = not found if rule is None else rule in found
        passed += right
        failed += not right
        if not right:
            print("FAIL want [%s] about %s, got %s" % (rule, path, found))
    untried = set(lint.RULES) - {rule for rule, _, _ in VIOLATIONS}
    if untried:
        failed += 1
        print("FAIL no violation tried of: %s" % ", ".join(sorted(untried)))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
