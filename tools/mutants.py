#!/usr/bin/python3
"""mutants.py [NAME...] - plant each fault of tests/mutants.list; is it caught?

A fault is code that -DRL_PLANT=RL_FAULT_NAME (library), -DMM_PLANT=MM_FAULT_NAME
(model) or -DEX_PLANT=EX_FAULT_NAME (explorer) turns on.  Only the files that mention it, or include a header that does,
are compiled again; everything else is the debug (or TSan) build's.  It is caught
when the test named beside it fails, dies or hangs, while the same test of the
unchanged build passes.  A fault that the code knows and the list does not has
survived.  Ends with `mutants: N planted, M caught`; exit 1 unless all were.
"""

import collections
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = "tests/mutants.list"
FOLDERS = {"debug": "build/debug", "tsan": "build/tsan-gcc", "explore": "build/explore",
           "tokens": "build/tokens"}
SECONDS = 60

# By kind: of the macros, and where such a fault may be.
PREFIXES = {"lib": "RL", "mm": "MM", "ex": "EX"}
FOLDERS_OF = {"lib": "rangelock/", "mm": "minimm/", "ex": "tests/explore/"}

Mutant = collections.namedtuple("Mutant", "name kind variant program arguments what")


class Failure(Exception):
    """A message for the user; nothing can be said about the mutants."""


def read_list(path):
    mutants = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line, _, what = line.partition("#")
            words = line.split()
            if not words:
                continue
            kind, _, variant = words[1].partition(",") if len(words) > 2 else ("", "", "")
            if kind not in PREFIXES or variant not in ("", "tsan", "explore", "tokens"):
                raise Failure("%s:%d: want NAME lib|mm|ex[,tsan|,explore|,tokens] PROGRAM [ARGUMENTS] # WHAT" % (path, number))
            arguments = words[3:]
            if words[2].startswith("tests/") and len(arguments) == 1:
                arguments = ["--filter"] + arguments
            mutants.append(Mutant(words[0], kind, variant or "debug", words[2],
                                  tuple(arguments), what.strip()))
    return mutants


def known_faults():
    """The names in the X-macro lists RL_FAULTS, MM_FAULTS and EX_FAULTS."""
    names = set()
    for header in glob.glob("rangelock/*/*.h") + glob.glob("minimm/*/*.h") + glob.glob("tests/explore/*.h"):
        with open(header, encoding="utf-8") as f:
            text = f.read()
        for prefix, body in re.findall(r"#define (RL|MM|EX)_FAULTS\(X\)((?:.*\\\n)*.*)", text):
            kind = next(kind for kind, own in PREFIXES.items() if own == prefix)
            names |= {(kind, name) for name in re.findall(r"\bX\((\w+)", body) if name != "NONE"}
    return names


class Build:
    """One unchanged variant: what it is made of and how."""

    def __init__(self, variant, programs):
        self.folder = FOLDERS[variant]
        self.make = [os.environ.get("MAKE", "make"), "--no-print-directory", "CC=gcc",
                     "VARIANT=" + variant, "OUT=" + self.folder]
        targets = ["%s/%s" % (self.folder, program) for program in programs]
        if subprocess.run(self.make + ["-j%d" % os.cpu_count()] + targets, check=False).returncode:
            raise Failure("the unchanged build does not compile")
        names = ("ALL_CFLAGS ALL_LDFLAGS MODEL_LIBS MODEL_OBJECTS MODEL_PARTS LIBRARY_OBJECTS "
                 "PARTS.lib PARTS.mm PARTS.stress PARTS.kernel PARTS.explore "
                 "PARTS.tokens-gcc LIBRARY_CFLAGS MODEL_CFLAGS")
        said = subprocess.run(self.make + ["print", "NAMES=" + names], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        self.values = {line.partition("=")[0]: line.partition("=")[2].split()
                       for line in said.splitlines()}

    def parts(self, program):
        """(objects that the program links by name, libraries)."""
        values = self.values
        if program == "tests/lib":
            return values["PARTS.lib"], []
        if program == "tests/mm":
            return values["PARTS.mm"], values["MODEL_LIBS"]
        if program == "minimm":
            return values["MODEL_OBJECTS"], values["MODEL_LIBS"]
        if os.path.isdir(program):
            return ["%s/obj/%s.o" % (self.folder, source[:-2])
                    for source in sorted(glob.glob(program + "/*.c"))], []
        if program == "tests/tokens-gcc":
            return values["PARTS.tokens-gcc"], ["-fsanitize=thread"]
        if program == "explorer":
            return values["PARTS.explore"], []
        own = ["%s/obj/%s.o" % (self.folder, program)] + values["PARTS.stress"]
        if program.startswith("stress/mm_"):
            return own + values["PARTS.kernel"] + values["MODEL_PARTS"], values["MODEL_LIBS"]
        return own, []

    def sources_of(self, item):
        """Every file that an object was made from."""
        with open(item[:-2] + ".d", encoding="utf-8") as f:
            rule = f.read().replace("\\\n", " ").partition("\n")[0]
        return rule.partition(":")[2].split()


def mentions(path, pattern, cache={}):
    if path.startswith("/"):
        return False
    if path not in cache:
        with open(path, encoding="utf-8", errors="replace") as f:
            cache[path] = f.read()
    return pattern.search(cache[path]) is not None


def build_mutant(build, mutant):
    """Compile what mentions the fault; link; the program's path, or raise."""
    prefix = PREFIXES[mutant.kind]
    pattern = re.compile(r"\b%s_PLANTED\(\s*%s\s*\)|\b%s_FAULT_%s\b"
                         % (prefix, mutant.name, prefix, mutant.name))
    folder = "build/mutants/" + re.sub(r"[^\w.-]+", "_", "-".join(
        (mutant.name, mutant.variant, mutant.program) + mutant.arguments))
    named, libraries = build.parts(mutant.program)
    changed, planted = {}, False
    for item in dict.fromkeys(named + build.values["LIBRARY_OBJECTS"]):
        sources = [s for s in build.sources_of(item) if not s.endswith("/flags")]
        if not any(mentions(source, pattern) for source in sources):
            continue
        source = next(s for s in sources if s.endswith(".c"))
        target = os.path.join(folder, source[:-2] + ".o")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        own = {"rangelock": build.values["LIBRARY_CFLAGS"],
               "minimm": build.values["MODEL_CFLAGS"]}.get(source.partition("/")[0], [])
        command = (["gcc"] + build.values["ALL_CFLAGS"] + own +
                   ["-D%s_PLANT=%s_FAULT_%s" % (prefix, prefix, mutant.name), "-c", source, "-o", target])
        subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        changed[item] = target
        planted = planted or source.startswith(FOLDERS_OF[mutant.kind])
    if not planted:
        raise Failure("no code mentions it")
    program = os.path.join(folder, os.path.basename(mutant.program))
    # A changed library object comes before the archive, and so instead of it.
    objects = [changed.get(item, item) for item in named]
    objects += [new for old, new in changed.items() if old not in named]
    subprocess.run(["gcc"] + build.values["ALL_LDFLAGS"] + objects +
                   [build.folder + "/librangelock.a"] + libraries + ["-o", program],
                   check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return program


def run(program, arguments, variant, seconds):
    """(how it ended, seconds, output); None when it passed."""
    command = [program] + list(arguments)
    if variant in ("tsan", "tokens"):
        command = ["setarch", "-R"] + command
    environment = dict(os.environ)
    environment.setdefault("RL_SEED", "1")
    environment.setdefault("TSAN_OPTIONS", "suppressions=%s/tests/tsan.supp die_after_fork=0" % ROOT)
    start = time.monotonic()
    try:
        done = subprocess.run(command, env=environment, timeout=seconds, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        how, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        how, output = "hangs", (expired.stdout or b"").decode(errors="replace")
    how = None if how == 0 else "exit %s" % how if isinstance(how, int) and how > 0 else \
        "signal %d" % -how if isinstance(how, int) else how
    return how, time.monotonic() - start, output


def try_mutant(build, mutant, seconds):
    """(caught, message)."""
    try:
        program = build_mutant(build, mutant)
    except Failure as failure:
        return False, str(failure)
    except subprocess.CalledProcessError as error:
        return False, "does not build:\n" + error.stdout
    how, took, _ = run(program, mutant.arguments, mutant.variant, seconds)
    return how is not None, "%s, %.1f s" % (how or "nobody noticed", took)


def check_unchanged(builds, mutants):
    """Run each test once without a fault; the seconds it took."""
    times = {}
    for key in sorted({(m.variant, m.program, m.arguments) for m in mutants}):
        variant, program, arguments = key
        how, took, output = run("%s/%s" % (builds[variant].folder, program), arguments, variant, SECONDS)
        if how:
            print(output)
            raise Failure("%s %s fails without any fault: %s" % (program, " ".join(arguments), how))
        times[key] = took
    return times


def main(names):
    os.chdir(ROOT)
    mutants = read_list(LIST)
    unlisted = sorted(known_faults() - {(m.kind, m.name) for m in mutants})
    if names:
        mutants, unlisted = [m for m in mutants if m.name in names], []
    if not mutants:
        raise Failure("no such fault in " + LIST)
    builds = {variant: Build(variant, sorted({m.program for m in mutants if m.variant == variant}))
              for variant in sorted({m.variant for m in mutants})}
    times = check_unchanged(builds, mutants)
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tries = [pool.submit(try_mutant, builds[m.variant], m, min(
            SECONDS, 10 + 20 * times[m.variant, m.program, m.arguments])) for m in mutants]
        for mutant, result in zip(mutants, tries):
            found, message = result.result()
            caught += found
            print("%-8s %s (%s): %s" % ("caught" if found else "SURVIVED", mutant.name, mutant.what,
                                        message), flush=True)
    for kind, name in unlisted:
        print("SURVIVED %s (%s): no line in %s" % (name, kind, LIST))
    planted = len(mutants) + len(unlisted)
    print("mutants: %d planted, %d caught" % (planted, caught))
    return 0 if caught == planted else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as problem:
        print("mutants.py: %s" % problem, file=sys.stderr)
        sys.exit(1)
