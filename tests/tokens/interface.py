#!/usr/bin/python3
"""interface.py BUILD - does every function of the interface tell what it does?

Each function that include/ marks RL_API is one of rangelock/tokens/, or is listed
here with the reason why it need not be; and the built library, static and shared,
has it.  Ends with `N passed, M failed`, a function being one test.
"""

import glob
import re
import subprocess
import sys

SILENT = {
    "rl_rwlock_lock_at": "calls the interface",
    "rl_rwlock_lock_at_until": "calls the interface",
    "rl_rwlock_trylock_at": "calls the interface",
    "rl_rwlock_unlock": "calls the interface",
    "rl_run_deferred": "each callback is told of by itself",
    "rl_fork_parent": "rl_fork_prepare() has hidden the lock",
    "rl_hist_low": "has no state",
    "rl_hist_quantile": "reads the caller's memory",
    "rl_site_find": "reads the library's variables, and sites that are hidden",
    "rl_site_pairs_read": "the same",
    "rl_site_abort_on_misuse": "the same",
    "rl_sites_configure": "the same",
    "rl_sites_print": "the same",
    "rl_sites_read": "the same",
    "rl_sites_reset": "the same",
}


def interface():
    names = set()
    for path in glob.glob("include/**/*.h", recursive=True):
        with open(path, encoding="utf-8") as f:
            names |= set(re.findall(r"^RL_API [^;(]*?\b(rl_\w+)\(", f.read(), re.M))
    return names


def defined(arguments):
    said = subprocess.run(["nm"] + arguments, check=True, text=True, stdout=subprocess.PIPE).stdout
    return set(re.findall(r" T (\w+)", said, re.M))


def main(build):
    with open(build + "/untold.h", encoding="utf-8") as f:
        told = set(re.findall(r"^#define (\w+) untold_", f.read(), re.M))
    static = defined([build + "/librangelock.a"])
    shared = defined(["-D", build + "/librangelock.so"])
    names = sorted(interface())
    failed = 0
    for name in names:
        why = ("is told and listed as silent" if name in told and name in SILENT else
               "is neither in rangelock/tokens/ nor listed here" if name not in told | set(SILENT) else
               "is not in librangelock.a" if name not in static else
               "is not in librangelock.so" if name not in shared else "")
        if why:
            print("FAIL: %s %s" % (name, why))
            failed += 1
    for name in sorted((told | set(SILENT)) - set(names)):
        print("FAIL: %s is not of the interface" % name)
        failed += 1
    for name in sorted(shared - set(names)):
        print("FAIL: librangelock.so shows %s" % name)
        failed += 1
    print("%d passed, %d failed" % (len(names), failed))
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
