#!/usr/bin/python3
"""lint.py - the rules of the house, checked

usage: lint.py [--root DIR] [RULE...]

Each rule is a function that yields (path, line, message).  It prints what it
finds as path:line: [rule] message and ends with `N passed, M failed`, a rule
being one test.  tests/lint_selftest.py shows that each rule can fail.  Weak
spot: C is read by regular expressions, with comments and strings blanked.
"""

import os
import re
import shutil
import subprocess
import sys

CODE_FOLDERS = ("rangelock", "include", "minimm", "tests", "stress", "bench", "examples")
LIBRARY = ("rangelock", "include")

# An include points down or sideways.
LIBRARY_FLOORS = ("base", "tree", "engine", "lock", "tokens")
MODEL_FLOORS = ("env", "vma", "pt", "mm", "scheme", "sim", "oracle", "load", "trace", "replay", "cmd")
APART = ("tests", "stress", "bench", "examples")

# Where memory may be had: nothing allocates between init and destroy.
MAY_ALLOCATE = ("rangelock/lock/init.c",)
ATOMIC_HEADERS = ("rangelock/base/atomic.h", "minimm/env/atomic.h")

MAX_FILE, MAX_FUNCTION, MAX_COLUMN, TAB = 600, 70, 100, 8


class Tree:
    """The files below a root, each read once, with and without comments."""

    def __init__(self, root):
        self.root = root
        self.texts = {}
        self.codes = {}

    def files(self, *suffixes, folders=None):
        found = []
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = sorted(d for d in subfolders
                                   if d not in (".git", "build", "__pycache__"))
            for name in sorted(set(names) - {".git"}):
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if folders and path.split("/")[0] not in folders:
                    continue
                if not suffixes or name.endswith(suffixes):
                    found.append(path)
        return found

    def text(self, path):
        if path not in self.texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
                self.texts[path] = f.read()
        return self.texts[path]

    def lines(self, path):
        return self.text(path).split("\n")

    def code(self, path):
        """The lines of a C file, comments and strings blanked."""
        if path not in self.codes:
            self.codes[path] = blank(self.text(path)).split("\n")
        return self.codes[path]


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text):
    def spaces(match):
        if text[text.rfind("\n", 0, match.start()) + 1:match.start()].lstrip().startswith("#include"):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())
    return TOKEN.sub(spaces, text)


def search(tree, paths, pattern, message):
    regex = re.compile(pattern)
    for path in paths:
        for number, line in enumerate(tree.code(path), 1):
            match = regex.search(line)
            if match:
                yield path, number, message % match.group().strip()


INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def house_of(path):
    """The (house, floor) of a path of ours, or None for the world outside."""
    parts = path.split("/")
    if path == "rangelock.h" or (parts[0] == "rangelock" and len(parts) == 2 and path.endswith(".h")):
        return "include", 0
    if parts[0] == "include":
        return "include", 0
    if parts[0] == "rangelock" and parts[1] in LIBRARY_FLOORS:
        return "rangelock", LIBRARY_FLOORS.index(parts[1])
    if parts[0] == "minimm" and len(parts) > 2 and parts[1] in MODEL_FLOORS:
        return "minimm", MODEL_FLOORS.index(parts[1])
    if parts[0] in APART:
        return "apart", 0
    return ("rangelock" if parts[0] == "rangelock" else "minimm", None) if parts[0] in (
        "rangelock", "minimm") else None


def may_include(inside, target):
    if inside[0] == "apart" or target[0] == "include":
        return True
    if None in (inside[1], target[1]):
        return False
    return inside[0] == target[0] and target[1] <= inside[1]


def rule_includes(tree):
    for path in tree.files(".c", ".h", folders=CODE_FOLDERS):
        inside = house_of(path)
        if inside is None or inside[1] is None:
            yield path, 1, "lies on no floor: the folders are listed in tools/lint.py"
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            name = match.group(2)
            if "/" not in name and match.group(1) == '"':
                name = os.path.join(os.path.dirname(path), name)
            target = house_of(name)
            if target and not may_include(inside, target):
                yield path, number, "an include of %s points up" % match.group(2)


def rule_liburcu(tree):
    yield from search(tree, tree.files(".c", ".h", folders=LIBRARY),
                      r"\burcu|\brcu_\w+|\bck_\w+|\bcds_\w+",
                      "%s: the library needs neither liburcu nor Concurrency Kit")


def rule_syscalls(tree):
    above_base = [p for p in tree.files(".c", ".h", folders=LIBRARY)
                  if not p.startswith("rangelock/base/")]
    yield from search(tree, above_base,
                      r"\b(syscall|clock_gettime|clock_nanosleep|nanosleep|usleep|sched_yield|"
                      r"getpid|gettid|getcpu|sched_getcpu|mmap|munmap|membarrier)\s*\(|\bSYS_\w+|"
                      r"\bfutex\s*\(|\bFUTEX_\w+|\bpthread_\w+|<(pthread|sys/syscall|linux/futex)\.h>",
                      "%s: system calls and threads belong in rangelock/base/")
    yield from search(tree, [p for p in tree.files(".c", ".h", folders=LIBRARY)
                             if p not in MAY_ALLOCATE],
                      r"\b(malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup)\s*\(",
                      "%s: memory is had and given back in " + ", ".join(MAY_ALLOCATE) + " only")


def rule_atomics(tree):
    paths = [p for p in tree.files(".c", ".h", folders=("rangelock", "include", "minimm"))
             if p not in ATOMIC_HEADERS]
    yield from search(tree, paths,
                      r"<stdatomic\.h>|\b__atomic_\w+|\b__sync_\w+|\b_Atomic\b|\batomic_\w+\s*\(",
                      "%s: atomics belong in base/atomic.h")


# These define the ordered accesses; a tag there is an example.
ORDER_DEFINERS = ATOMIC_HEADERS + ("rangelock/base/annotate.h", "minimm/env/annotate.h")
TAG = re.compile(r"\(([A-Z]+[0-9]+[a-z]?)\)[\s*]+(release|acquire)\b")
ORDERED_NAME = re.compile(r"\b(?:rl|mm)_\w*(?:acquire|release|acq_rel)\w*(?=\()")
ORDERING = "docs/ORDERING.md"


def tags_of(tree):
    """Each tag's ends in the code: {tag: {"release": (path, line), ...}}."""
    ends = {}
    for path in tree.files(".c", ".h", folders=("rangelock", "include", "minimm")):
        if path in ORDER_DEFINERS:
            continue
        for match in TAG.finditer(tree.text(path)):
            line = tree.text(path).count("\n", 0, match.start()) + 1
            ends.setdefault(match.group(1), {}).setdefault(match.group(2), (path, line))
    return ends


def rows_of(tree):
    if not os.path.exists(os.path.join(tree.root, ORDERING)):
        return {}
    return {match.group(1): number for number, line in enumerate(tree.lines(ORDERING), 1)
            for match in [re.match(r"\|\s*([A-Z]+[0-9]+[a-z]?)\s*\|", line)] if match}


def ordered_call(tree):
    """Matches a call of an ordered access that one of the atomic headers defines."""
    names = set()
    for path in ATOMIC_HEADERS:
        if os.path.exists(os.path.join(tree.root, path)):
            names |= set(ORDERED_NAME.findall("\n".join(tree.code(path))))
    return re.compile(r"\b(?:%s)\s*\(" % "|".join(sorted(names) or ["(?!)"]))


def rule_ordering(tree):
    ends, rows = tags_of(tree), rows_of(tree)
    for tag in sorted(ends):
        path, line = next(iter(ends[tag].values()))
        for side in ("release", "acquire"):
            if side not in ends[tag]:
                yield path, line, "(%s) has no %s end" % (tag, side)
        if tag not in rows:
            yield path, line, "(%s) has no row in %s" % (tag, ORDERING)
    for tag in sorted(set(rows) - set(ends)):
        yield ORDERING, rows[tag], "the row of %s has no end in the code" % tag
    call = ordered_call(tree)
    for path in tree.files(".c", ".h", folders=("rangelock", "minimm")):
        if path in ORDER_DEFINERS:
            continue
        lines = tree.lines(path)
        for number, line in enumerate(tree.code(path)):
            near = "\n".join(lines[max(0, number - 8):number + 1])
            if call.search(line) and not re.search(r"\([A-Z]+[0-9]+[a-z]?\)", near):
                yield path, number + 1, "an ordered access without a tag like (W1) near it"


def functions_of(code):
    """(first line, last line) of each function: a { and a } in column 0."""
    start = None
    for number, line in enumerate(code, 1):
        if start is None:
            if line.startswith("{"):
                start = number
                while start > 1 and code[start - 2].strip() and not code[start - 2].startswith(("}", "#")):
                    start -= 1
            elif re.match(r"^[A-Za-z_].*\(.*\{\s*$", line) and "= {" not in line:
                start = number
        elif line.startswith("}"):
            yield start, number
            start = None


def rule_size(tree):
    for path in tree.files(".c", ".h", ".py", ".sh", ".mk"):
        lines = tree.lines(path)
        if len(lines) - 1 > MAX_FILE:
            yield path, MAX_FILE + 1, "%d lines, over %d" % (len(lines) - 1, MAX_FILE)
    for path in tree.files(".c", ".h", folders=CODE_FOLDERS):
        for number, line in enumerate(tree.lines(path), 1):
            if len(line.expandtabs(TAB)) > MAX_COLUMN:
                yield path, number, "%d columns, over %d" % (len(line.expandtabs(TAB)), MAX_COLUMN)
        for first, last in functions_of(tree.code(path)):
            if last - first + 1 > MAX_FUNCTION:
                yield path, first, "a function of %d lines, over %d" % (last - first + 1, MAX_FUNCTION)


def rule_headers(tree):
    """Each public header compiles alone, as C11 and as C++17."""
    strict = ["-fsyntax-only", "-Iinclude", "-Wall", "-Wextra", "-Wshadow", "-Wconversion",
              "-Werror", "-pedantic"]
    ways = [("gcc", "c", "c11"), ("clang", "c", "c11"), ("g++", "c++", "c++17"),
            ("clang++", "c++", "c++17")]
    for compiler, _, _ in ways:
        if not shutil.which(compiler):
            yield "tools/deps.sh", 1, "no %s here: run tools/deps.sh check" % compiler
            return
    for header in tree.files(".h", folders=("include",)):
        source = "#include <%s>\n" % os.path.relpath(header, "include")
        for compiler, language, standard in ways:
            done = subprocess.run([compiler, "-std=" + standard, "-x", language] + strict + ["-"],
                                  input=source, cwd=tree.root, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if done.returncode:
                said = [l for l in done.stdout.split("\n") if "error" in l] or [done.stdout]
                yield header, 1, "%s -std=%s: %s" % (compiler, standard, said[0])


# Spelled so that this file does not contain them.
FORBIDDEN = re.compile(r"(?<![\w.*/])/(?:wo" r"rk|ho" r"me)/|\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b")


def rule_words(tree):
    for path in tree.files():
        if path.endswith((".gz", ".png", ".svg")):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = FORBIDDEN.search(line)
            if match:
                yield path, number, "%s has no place here" % match.group()


def rule_heads(tree):
    for path in tree.files(".c", folders=("rangelock", "minimm", "stress", "bench")):
        name = re.escape(os.path.basename(path))
        if not re.match(r"/\*\n \* %s - \S" % name, tree.text(path)):
            yield path, 1, "does not open with /* %s - its idea */" % os.path.basename(path)


def rule_tests(tree):
    for path in tree.files(".c", folders=("rangelock",)):
        test = "tests/test_" + os.path.basename(path)
        if not os.path.exists(os.path.join(tree.root, test)):
            yield path, 1, "has no %s" % test
    for path in tree.files(".c", folders=("tests",)):
        if os.path.basename(path).startswith("test_") and \
           "Goal:" not in "\n".join(tree.lines(path)[:3]):
            yield path, 1, "does not open with its goal: /* Goal: ... */"


RULES = {name[5:]: rule for name, rule in list(globals().items()) if name.startswith("rule_")}


def main(arguments):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if arguments[:1] == ["--root"] and len(arguments) > 1:
        root, arguments = arguments[1], arguments[2:]
    unknown = [name for name in arguments if name not in RULES]
    if unknown:
        print("lint.py: no rule %s; there are %s" % (unknown[0], ", ".join(RULES)), file=sys.stderr)
        return 2
    tree = Tree(root)
    failed = 0
    names = arguments or list(RULES)
    for name in names:
        found = list(RULES[name](tree))
        for path, line, message in found:
            print("%s:%d: [%s] %s" % (path, line, name, message))
        failed += bool(found)
    print("%d passed, %d failed" % (len(names) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
