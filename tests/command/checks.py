"""checks.py - checks that count themselves, for the tests of a program from outside

A test calls check() for each fact and ends with sys.exit(finish()).
"""

passed = failed = 0


def check(name, condition, got=""):
    count(bool(condition), not condition)
    if not condition:
        print("FAIL %s: got %s" % (name, got))


def count(good, bad):
    """What a program that counts for itself has said."""
    global passed, failed
    passed += good
    failed += bad


def finish():
    """The line that tools/check.sh reads, and the exit status."""
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0
