#!/usr/bin/python3
"""test_bad_input.py - what minimm says to nonsense; MINIMM names the program

For each case: the exit status is one that is allowed, stderr says what it must
(the file and the line, the word that makes no sense), and nothing crashed and no
sanitizer spoke.  Then random damage to a real trace, seeded (RL_SEED).
Ends with `N passed, M failed`.
"""

import gzip
import os
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MINIMM = os.path.join(ROOT, os.environ.get("MINIMM", "build/minimm"))
TRACE = os.path.join(ROOT, "minimm/data/javac.perf.gz")
NR_DAMAGED = 60

with gzip.open(TRACE, "rt") as whole:
    HEAD = whole.read(60000).rsplit("\n", 1)[0].split("\n")


def event(text, thread="7/7", at="1.000000001"):
    return "%s %s:  %s" % (thread, at, text)


def fault(address):
    return event("exceptions:page_fault_user: address=%s ip=0x0 error_code=0x6" % address)


def mmap(address, length, result, flags="0x00000022"):
    return [event("syscalls:sys_enter_mmap: addr: %s, len: %s, prot: 0x00000003, flags: %s, "
                  "fd: 0xffffffff, off: 0x00000000" % (address, length, flags)),
            event("syscalls:sys_exit_mmap: %s" % result, at="1.000000009")]


def munmap(address, length):
    return [event("syscalls:sys_enter_munmap: addr: %s, len: %s" % (address, length)),
            event("syscalls:sys_exit_munmap: 0x0", at="1.000000009")]


TOP = "0xffffffffffffffff"
ANY = (0, 1, 2)
BAD = (1, 2)
USAGE = (2,)

# name, bytes or lines of the trace, allowed statuses, what stderr must match
TRACES = [
    ("an_empty_file", b"", BAD, r"FILE"),
    ("gzip_of_nothing", [], BAD, r"FILE"),
    ("gzip_cut_in_half", open(TRACE, "rb").read()[:90000], BAD, r"FILE"),
    ("gzip_cut_in_its_head", open(TRACE, "rb").read()[:5], BAD, r"FILE"),
    ("gzip_damaged", open(TRACE, "rb").read()[:50000] + bytes(64) +
     open(TRACE, "rb").read()[50064:], BAD, r"FILE"),
    ("first_line_is_no_event", ["this is no event"] + HEAD[:20], BAD, r"FILE:1\b"),
    ("third_line_is_no_event", HEAD[:2] + ["7/7 1.0 nonsense"] + HEAD[2:20], BAD, r"FILE:3\b"),
    ("an_address_that_is_no_number", [fault("0xnonsense")], BAD, r"FILE:1\b"),
    ("a_call_without_arguments", [event("syscalls:sys_enter_mmap:")], BAD, r"FILE:1\b"),
    ("a_very_long_line", HEAD[:2] + ["x" * 1000000], BAD, r"FILE:3\b"),
    ("a_line_of_zero_bytes", b"\0" * 5000, BAD, r"FILE:1\b"),
    ("a_fault_without_a_mapping", [fault("0x7f0000001000")], ANY, None),
    ("faults_at_the_ends_of_the_space", [fault("0x0"), fault(TOP), fault("0x7ffffffff000"),
                                         fault("0xffff800000000000")], ANY, None),
    ("a_mapping_at_the_end_of_the_space", mmap(TOP, TOP, TOP) +
     mmap("0xfffffffffffff000", "0x1000", "0xfffffffffffff000"), ANY, None),
    ("a_mapping_of_nothing", mmap("0x0", "0x0", "0xffffffffffffffea"), ANY, None),
    ("an_unmapping_of_everything", mmap("0x0", "0x2000", "0x7f0000000000") + munmap("0x0", TOP),
     ANY, None),
    ("a_return_without_a_call", [event("syscalls:sys_exit_munmap: 0x0")], ANY, None),
    ("a_return_without_a_call_later", [fault("0x7f0000001000"), event("syscalls:sys_exit_munmap: 0x0")],
     USAGE, r"FILE:2\b"),
    ("a_return_of_another_call", munmap("0x0", "0x1000")[:1] + [event("syscalls:sys_exit_brk: 0x0", at="1.000000009")],
     USAGE, r"FILE:2\b"),
    ("a_fault_on_what_was_unmapped", mmap("0x0", "0x2000", "0x7f0000000000") +
     [line.replace("1.0", "2.0") for line in munmap("0x7f0000000000", "0x2000")] +
     [fault("0x7f0000000010").replace("1.0", "3.0")], (1,), r"FILE:5\b"),
    ("a_fault_beyond_the_space", [fault(TOP)], (1,), r"FILE:1\b"),
    ("a_mapping_beyond_the_space", mmap("0x0", "0x2000", "0x7ffffffff000"), (1,), r"FILE:1\b"),
    ("a_mapping_longer_than_the_space", mmap("0x0", TOP, "0x1000"), (1,), r"FILE:1\b"),
    ("a_time_that_goes_back", [fault("0x7f0000001000").replace("1.0", "2.0"), fault("0x7f0000001000")],
     USAGE, r"FILE:2\b"),
    ("a_call_without_a_return", mmap("0x0", "0x2000", "0x0")[:1], ANY, None),
]

# name, arguments after `minimm`, allowed statuses, what stderr must match
COMMANDS = [
    ("no_subcommand", [], USAGE, r"usage|replay"),
    ("unknown_subcommand", ["frobnicate"], USAGE, r"frobnicate"),
    ("unknown_option", ["replay", TRACE, "--frobnicate"], USAGE, r"frobnicate"),
    ("unknown_letters_before_the_trace", ["replay", "-xyz", TRACE], USAGE, r"no option is called -x\n"),
    ("unknown_letters_after_the_trace", ["replay", TRACE, "-xyz"], USAGE, r"no option is called -x\n"),
    ("option_that_could_be_several", ["replay", TRACE, "--s", "coarse"], USAGE,
     r"--s could be --scheme, --scale, --seed, --sites\n"),
    ("option_that_takes_no_value", ["replay", TRACE, "--racy=1"], USAGE, r"--racy takes no value\n"),
    ("unknown_option_with_a_value", ["replay", TRACE, "--frobnicate=1"], USAGE, r"no option is called --frobnicate\n"),
    ("short_for_an_option_without_a_value", ["replay", TRACE, "--sca"], USAGE, r"--scale needs a value\n"),
    ("racy_with_the_costs_of_a_trace", ["racy", "--costs", "trace"], USAGE, r"there is no trace"),
    ("replay_of_no_trace", ["replay"], USAGE, r"\S"),
    ("replay_of_a_missing_file", ["replay", "nosuch.perf.gz"], (1, 2, 3), r"nosuch\.perf\.gz"),
    ("replay_of_a_folder", ["replay", ROOT], (1, 2, 3), r"\S"),
    ("unknown_scheme", ["replay", TRACE, "--scheme", "frobnicate"], USAGE, r"frobnicate"),
    ("unknown_scheme_in_a_list", ["replay", TRACE, "--scheme", "coarse,frobnicate"], USAGE, r"frobnicate"),
    ("empty_scheme", ["replay", TRACE, "--scheme", ""], USAGE, r"\S"),
    ("scale_0", ["replay", TRACE, "--scale", "0"], USAGE, r"scale"),
    ("scale_below_0", ["replay", TRACE, "--scale", "-1"], USAGE, r"scale"),
    ("scale_that_is_no_number", ["replay", TRACE, "--scale", "4x"], USAGE, r"scale"),
    ("scale_past_64_bits", ["replay", TRACE, "--scale", "99999999999999999999"], USAGE, r"scale"),
    ("scale_without_a_value", ["replay", TRACE, "--scale"], USAGE, r"scale"),
    ("cpus_0", ["replay", TRACE, "--cpus", "0"], USAGE, r"cpus"),
    ("cpus_that_is_no_number", ["replay", TRACE, "--cpus", "many"], USAGE, r"cpus"),
    ("seed_that_is_no_number", ["replay", TRACE, "--seed", "s"], USAGE, r"seed"),
    ("costs_from_a_missing_file", ["replay", TRACE, "--costs", "nosuch.costs"], (1, 2, 3), r"nosuch\.costs"),
    ("json_into_a_missing_folder",
     ["replay", TRACE, "--scheme", "coarse", "--json", "/nosuch/folder/x"], (3,), r"/nosuch/folder/x"),
    ("run_of_nothing", ["run"], USAGE, r"which workload\?.*page_fault1, mmap1, mmap2, malloc1, spf_test"),
    ("run_of_an_unknown_workload", ["run", "frobnicate"], USAGE, r"\"frobnicate\"; there are: page_fault1"),
    ("run_of_two_workloads", ["run", "mmap1", "mmap2"], USAGE, r"mmap2"),
    ("run_with_no_threads", ["run", "mmap1", "--threads", "0"], USAGE, r"threads"),
    ("run_with_a_list_that_ends_in_a_comma", ["run", "mmap1", "--threads", "1,"], USAGE, r"threads"),
    ("run_with_too_many_threads", ["run", "mmap1", "--threads", "1000"], USAGE, r"threads"),
    ("run_for_no_time", ["run", "mmap1", "--seconds", "0"], USAGE, r"seconds"),
    ("run_for_a_time_that_is_no_number", ["run", "mmap1", "--seconds", "nan"], USAGE, r"seconds"),
    ("run_for_turns_and_for_a_time", ["run", "mmap1", "--seconds", "1", "--turns", "1"], USAGE, r"seconds.*turns"),
    ("run_with_vmas_that_it_has_not", ["run", "mmap1", "--vmas", "2"], USAGE, r"vmas.*mmap1"),
    ("run_with_too_many_pages", ["run", "spf_test", "--pages", "262144", "--vmas", "200", "--threads", "2"],
     USAGE, r"pages"),
    ("run_of_an_unknown_scheme", ["run", "mmap1", "--scheme", "frobnicate"], USAGE, r"frobnicate"),
    ("run_with_an_option_of_others", ["run", "mmap1", "--scale", "2"], USAGE, r"scale"),
    ("run_into_a_missing_folder",
     ["run", "mmap1", "--turns", "1", "--reps", "1", "--json", "/nosuch/folder/x"], (3,), r"/nosuch/folder/x"),
    ("script_of_a_missing_file", ["script", "nosuch.mm"], (1, 2, 3), r"nosuch\.mm"),
    ("script_without_a_file", ["script"], USAGE, r"\S"),
    ("script_of_two_files", ["script", "a", "b"], USAGE, r"\"b\""),
    ("script_with_an_unknown_scheme", ["script", "--scheme=frobnicate", "-"], USAGE, r"\"frobnicate\"; there are"),
    ("script_with_two_schemes", ["script", "--scheme", "coarse,range", "-"], USAGE, r"scheme"),
    ("script_with_an_unknown_option", ["script", "--frobnicate", "-"], USAGE, r"no option is called --frobnicate"),
    ("script_of_standard_input", ["script", "-"], (0,), r"\A\Z"),
    ("script_with_a_scheme", ["script", "--scheme=range-full", "-"], (0,), r"\A\Z"),
    ("script_with_a_scheme_after_the_file", ["script", "-", "--scheme", "none"], (0,), r"\A\Z"),
]

# name, the script's lines, allowed statuses, stderr, what stdout must match
SCRIPTS = [
    ("script_of_nothing", [], (0,), None, r"\A\Z"),
    ("unknown_operation", ["maps", "frobnicate 1 2"], BAD, r"FILE:2\b", None),
    ("missing_argument", ["mmap 0x10000000000"], BAD, r"FILE:1\b", None),
    ("argument_that_is_no_number", ["munmap nonsense 0x1000"], BAD, r"FILE:1\b", None),
    ("number_past_64_bits", ["munmap 0x10000000000000000 0x1000"], BAD, r"FILE:1\b", None),
    ("unknown_flag", ["mmap 0x10000000000 0x1000 rw- private,frobnicate"], BAD, r"FILE:1\b", None),
    ("unknown_protection", ["mmap 0x10000000000 0x1000 q-- private,anonymous"], BAD, r"FILE:1\b", None),
    ("map_of_nothing", ["mmap 0x10000000000 0 rw- private,anonymous"], (0,), None, r"\A= -EINVAL\n\Z"),
    ("map_of_everything", ["mmap 0x0 %s rw- private,anonymous" % TOP], (0,), None, r"\A= -ENOMEM\n\Z"),
    ("map_at_the_end_of_the_space",
     ["mmap 0xfffffffffffff000 0x1000 rw- private,anonymous,fixed"], (0,), None, r"\A= -ENOMEM\n\Z"),
    ("unmap_unaligned", ["munmap 0x10000000001 0x1000"], (0,), None, r"\A= -EINVAL\n\Z"),
    ("unmap_at_the_end_of_the_space", ["munmap 0xfffffffffffff000 0x1000"], (0,), None, r"\A= -EINVAL\n\Z"),
    ("protect_across_the_end", ["mprotect 0xfffffffffffff000 0x2000 r--"], (0,), None, r"\A= -E\w+\n\Z"),
    ("remap_of_what_is_not_there", ["mremap 0x10000000000 0x1000 0x2000 maymove"], (0,), None,
     r"\A= -EFAULT\n\Z"),
    ("faults_at_the_ends", ["fault 0x0 r", "fault %s w" % TOP], (0,), None,
     r"\A(= -SEGV_MAPERR\n){2}\Z"),
    ("maps_of_nothing", ["maps"], (0,), None, r"\A\Z"),
]


class Tally:
    def __init__(self, folder):
        self.folder = folder
        self.passed = self.failed = 0

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        if not isinstance(content, bytes):
            text = "".join(line + "\n" for line in content).encode("latin-1")
            content = gzip.compress(text, mtime=0) if name.endswith(".gz") else text
        with open(path, "wb") as f:
            f.write(content)
        return path

    def expect(self, name, arguments, statuses, stderr, stdout=None, path=""):
        complaint = ""
        try:
            done = subprocess.run([MINIMM] + arguments, stdin=subprocess.DEVNULL, timeout=60, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            self.verdict(name, arguments, "ran longer than 60 s", "")
            return
        if re.search(r"Sanitizer|runtime error:", done.stderr):
            complaint = "a sanitizer spoke"
        elif done.returncode not in statuses:
            complaint = "status %d, want one of %s" % (done.returncode, statuses)
        elif stderr and not re.search(stderr.replace("FILE", re.escape(path)), done.stderr):
            complaint = "stderr does not match /%s/" % stderr
        elif stdout and not re.search(stdout, done.stdout):
            complaint = "stdout does not match /%s/: %r" % (stdout, done.stdout[:200])
        self.verdict(name, arguments, complaint, done.stderr)

    def verdict(self, name, arguments, complaint, stderr):
        self.passed += not complaint
        self.failed += bool(complaint)
        if complaint:
            print("FAIL %s: %s\n  minimm %s\n  stderr: %s" % (name, complaint, " ".join(arguments),
                                                           stderr.strip()[-1500:]))


def damage(rng, lines):
    """One to four of: a byte changed, a line lost, doubled, moved or cut."""
    lines = list(lines)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        kind = rng.randrange(5)
        if kind == 0 and lines[at]:
            where = rng.randrange(len(lines[at]))
            lines[at] = lines[at][:where] + chr(rng.randrange(1, 256)) + lines[at][where + 1:]
        elif kind == 1:
            del lines[at]
        elif kind == 2:
            lines.insert(at, lines[at])
        elif kind == 3:
            lines.insert(rng.randrange(len(lines)), lines.pop(at))
        else:
            lines[at] = lines[at][:rng.randrange(len(lines[at]) + 1)]
    return lines


def main():
    seed = int(os.environ.get("RL_SEED") or time.time_ns() % 1000000007)
    print("seed %d (rerun with RL_SEED=%d)" % (seed, seed))
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        tally = Tally(folder)
        for name, content, statuses, stderr in TRACES:
            path = tally.write(name + ".perf.gz", content)
            tally.expect(name, ["replay", path, "--scheme", "coarse"], statuses, stderr, path=path)
        for name, arguments, statuses, stderr in COMMANDS:
            tally.expect(name, arguments, statuses, stderr)
        for arguments in (["--help"], ["replay", "--help"], ["run", "--help"], ["script", "--help"]):
            tally.expect("help", arguments, (0,), None, r"(?i)usage")
        tally.expect("help_of_racy_has_no_trace", ["racy", "--help"], (0,), None, r"--costs FILE  ")
        tally.expect("help_of_replay_has_one", ["replay", "--help"], (0,), None, r"--costs FILE\|trace  ")
        for name, lines, statuses, stderr, stdout in SCRIPTS:
            path = tally.write(name + ".mm", lines)
            tally.expect(name, ["script", path], statuses, stderr, stdout, path)
        for number in range(NR_DAMAGED):
            path = tally.write("damaged.perf.gz", damage(rng, HEAD[:300]))
            tally.expect("damaged_%d" % number, ["replay", path, "--scheme", "coarse,range-full"], ANY, None)
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
