"""Runs the two sides of a comparison in turn."""
import os
import pathlib
import statistics
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
RELEASE = TOP / ".build" / "release"
MOONTRACE = str(RELEASE / "moontrace")
WORKLOAD = str(RELEASE / "workload")


def bpftrace(*arguments):
    """The command line of bpftrace, which wants to lock memory."""
    os.environ["BPFTRACE_STRLEN"] = "64"
    return ["bash", "-c", 'ulimit -l 8192; exec bpftrace "$@"', "bpftrace", *arguments]


def in_turn(runs, *sides):
    """Calls each side once to warm up, then `runs` times in turn: for each side, the list of its answers."""
    for side in sides:
        side()
    rounds = [[side() for side in sides] for _ in range(runs)]
    return [list(answers) for answers in zip(*rounds)]


def medians(answers):
    """The median of each figure of answers that are tuples of figures."""
    return [statistics.median(figures) for figures in zip(*answers)]


def fail(command, status, said=""):
    sys.exit(f"bench: {' '.join(map(str, command))} ended with status {status}\n{said}".rstrip())
