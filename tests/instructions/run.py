#!/usr/bin/python3
"""run.py - the price of a pair against tests/instructions/expected

usage: run.py [--update] [--compiler CC] PROGRAM

PROGRAM is tests/instructions/pairs.c, built.  callgrind counts the instructions
of 1000 pairs (those of 2000 less those of 1000, so that nothing else is in the
figure), lackey's trace of all stores the cache lines that one pair writes
outside the stack: those are what threads on other CPUs have to wait for.

With the compiler that the file names every figure must be the file's, be it
higher or lower: it is changed on purpose, by --update, or not at all.  Another
version of the compiler may be up to 5 % above.  A narrow pair in a forest writes
one line, whatever the file says.  On another machine's instruction set the
figures are printed and only the lines are judged.  Each figure is a test; ends
with `N passed, M failed`.  Weak spot: what the C library does counts too, and
may depend on the CPU's features.
"""

import glob
import os
import platform
import re
import subprocess
import sys
import tempfile

EXPECTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected")
MAY_GROW = 5			# percent, for another compiler
LINE = 64
STACK = 1 << 16			# a store this near to the stack pointer is private


def valgrind(*command):
    done = subprocess.run(("valgrind", "-q") + command, check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit("run.py: valgrind %s: status %d\n%s" % (" ".join(command), done.returncode,
                                                          done.stderr[-2000:]))
    return done.stdout, done.stderr


def count_instructions(program):
    """{engine.case: instructions of 1000 pairs}."""
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        valgrind("--tool=callgrind", "--collect-atstart=no",
                 "--callgrind-out-file=%s/out" % folder, program, "instructions")
        for path in glob.glob(folder + "/out.*"):
            with open(path, encoding="ascii") as f:
                text = f.read()
            name = re.search(r"^desc: Trigger: Client Request: (\S+)\.(\d+)$", text, re.M)
            total = re.search(r"^totals: (\d+)$", text, re.M)
            if name and total:
                counts[name.group(1), int(name.group(2))] = int(total.group(1))
    return {case: counts[case, 2000] - counts[case, 1000]
            for case, pairs in counts if pairs == 1000}


def lines_of(trace, marks):
    """The lines outside the stack that are written between the stores to each mark."""
    written = {case: set() for case in marks.values()}
    where, near = None, 0
    for line in trace.splitlines():
        match = re.match(r" ([SM]) ([0-9a-f]+),(\d+)$", line)
        if not match:
            continue
        address, size = int(match.group(2), 16), int(match.group(3))
        if address in marks:
            where = None if where else marks[address]
            near = where and where[1]
        elif where and abs(address - near) > STACK:
            written[where] |= {byte // LINE for byte in (address, address + size - 1)}
    return {case[0]: len(lines) for case, lines in written.items()}


def count_lines(program):
    """{engine.case: lines written by one pair}."""
    said, trace = valgrind("--tool=lackey", "--trace-mem=yes", program, "lines")
    marks = {}
    for line in said.splitlines():
        name, mark, stack = line.split()
        marks[int(mark, 16)] = name, int(stack, 16)
    return lines_of(trace, marks)


def compiler_of(cc):
    return subprocess.run([cc, "--version"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split("\n")[0]


def read_expected(path):
    """(compiler, machine, {case: (instructions, lines)})."""
    said, figures = {}, {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if not words or line.startswith("#"):
                continue
            if words[0] in ("compiler", "machine"):
                said[words[0]] = line.partition(" ")[2].strip()
            else:
                figures[words[0]] = int(words[1]), int(words[2])
    return said["compiler"], said["machine"], figures


def write_expected(path, compiler, machine, figures):
    with open(path, "w", encoding="utf-8") as f:
        f.write("# Uncontended lock and unlock: `make instructions` compares with these figures,\n"
                "# `make instructions-update` writes them (tests/instructions/run.py).\n"
                "compiler %s\nmachine %s\n\n# engine.case, instructions of 1000 pairs, "
                "shared cache lines that one pair writes\n" % (compiler, machine))
        for case, (instructions, lines) in figures.items():
            f.write("%-28s %8d %3d\n" % (case, instructions, lines))


def wrong_with(case, old, new, same_compiler, same_machine):
    """What is wrong with a figure: a sentence, or None."""
    if re.match(r"forest(-\w+)?\.narrow", case) and new and new[1] != 1:
        return "a narrow pair in a forest writes one shared line, not %d" % new[1]
    if old is None:
        return "not in the file"
    if new is None:
        return "in the file, but not counted"
    if new[1] > old[1] or (same_compiler and same_machine and new[1] != old[1]):
        return "%d shared lines written, expected %d" % (new[1], old[1])
    if not same_machine or new[0] == old[0]:
        return None
    if same_compiler or new[0] * 100 > old[0] * (100 + MAY_GROW):
        return "expected %.3f" % (old[0] / 1000)
    return None


def selftest():
    """Each way to fail, shown."""
    same, other = (True, True), (False, True)
    ways = [("forest.narrow-read", (100, 1), (100, 2), same), ("forest.narrow-read", (100, 2), (100, 2), same),
            ("a.b", (100, 1), (101, 1), same), ("a.b", (100, 1), (99, 1), same),
            ("a.b", (100, 1), (106, 1), other), ("a.b", (100, 1), (100, 2), other),
            ("a.b", (100, 2), (100, 1), same), ("a.b", None, (100, 1), same), ("a.b", (100, 1), None, same),
            ("a.b", (100, 1), (100, 2), (True, False))]
    good = [("a.b", (100, 1), (100, 1), same), ("a.b", (100, 1), (105, 1), other),
            ("a.b", (100, 1), (90, 1), other), ("a.b", (100, 1), (200, 1), (True, False))]
    for case, old, new, (compiler, machine) in ways:
        assert wrong_with(case, old, new, compiler, machine), (case, old, new)
    for case, old, new, (compiler, machine) in good:
        assert not wrong_with(case, old, new, compiler, machine), (case, old, new)
    trace = " S 10,1\n S ffff0000,8\n S 7c,8\n M 100,4\nI  5,3\n L 900,8\n S 10,1\n S 800,8\n"
    assert lines_of(trace, {0x10: ("a.b", 0xffff1000)}) == {"a.b": 3}


def compare(figures, compiler, machine):
    """Prints each figure beside the file's; (passed, failed)."""
    its_compiler, its_machine, expected = read_expected(EXPECTED)
    same = compiler == its_compiler, machine == its_machine
    if not same[1]:
        print("the file is for %s, this is %s: instructions are not compared" % (its_machine, machine))
    elif not same[0]:
        print("the file is for %s,\nthis is %s: up to %d %% more is let through"
              % (its_compiler, compiler, MAY_GROW))
    print("%-28s %12s %12s %9s %6s %6s" % ("instructions of a pair", "old", "new", "change",
                                           "lines:", "new"))
    failed = 0
    for case in list(expected) + [case for case in figures if case not in expected]:
        old, new = expected.get(case), figures.get(case)
        wrong = wrong_with(case, old, new, *same)
        failed += wrong is not None
        print("%-28s %12s %12s %9s %6s %6s%s" % (
            case, "%.3f" % (old[0] / 1000) if old else "-", "%.3f" % (new[0] / 1000) if new else "-",
            "%+.1f %%" % (100 * new[0] / old[0] - 100) if old and new else "-",
            old[1] if old else "-", new[1] if new else "-",
            "  FAIL: " + wrong if wrong else ""))
    if failed:
        print("if this is meant: make instructions-update")
    return len(set(expected) | set(figures)) - failed, failed


def main(arguments):
    update, cc = False, "gcc"
    while arguments[:1] and arguments[0].startswith("--"):
        if arguments[0] == "--update":
            update = True
        elif arguments[0] == "--compiler" and len(arguments) > 1:
            cc = arguments.pop(1)
        else:
            break
        arguments = arguments[1:]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__.split("\n")[2], file=sys.stderr)
        return 2
    selftest()
    instructions, lines = count_instructions(arguments[0]), count_lines(arguments[0])
    assert instructions and set(instructions) == set(lines), "the tools said nothing"
    figures = {case: (instructions[case], lines[case]) for case in lines}
    if update:
        write_expected(EXPECTED, compiler_of(cc), platform.machine(), figures)
    passed, failed = compare(figures, compiler_of(cc), platform.machine())
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
