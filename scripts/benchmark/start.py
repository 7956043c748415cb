"""From the start of the program to its end, or to its first event."""
import os
import select
import subprocess
import tempfile
import time

from .measure import MOONTRACE, bpftrace, fail, in_turn, medians
from .table import row


def whole_run(command):
    """Wall milliseconds and peak memory in MB of one run. time(1) starts it, because a child's peak begins with its
    parent's, and Python's is larger than ours."""
    with tempfile.NamedTemporaryFile("r") as figures:
        timed = ["/usr/bin/time", "-f", "%M", "-o", figures.name] + command
        start = time.monotonic()
        status = subprocess.run(timed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        wall = (time.monotonic() - start) * 1000
        if status != 0:
            fail(command, status)
        return wall, int(figures.read()) / 1024


def first_event(command):
    """Milliseconds from the start of a trace of getppid to the first line `seen` that it prints for a call.

    Neither side says when its probe is attached (bpftrace's "Attaching 1 probe..." comes before), so both are
    measured by their first effect: this process makes a call every fifth of a millisecond until a line arrives.
    """
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output = b""
    try:
        while b"seen" not in output:
            os.getppid()
            if select.select([process.stdout], [], [], 0.0002)[0]:
                read = os.read(process.stdout.fileno(), 65536)
                if not read:
                    fail(command, process.wait())
                output += read
        return ((time.monotonic() - start) * 1000,)
    finally:
        process.kill()
        process.wait()


def list_row(runs):
    """All tracepoints, as `moontrace list tracepoint` tells them."""
    (ours,) = in_turn(runs, lambda: whole_run([MOONTRACE, "list", "tracepoint"]))
    row("list tracepoint (all of them) / 50 ms", medians(ours)[0], 50, "ms", "<= 1", 1)


def rows(runs):
    nothing = bpftrace("-e", "BEGIN { exit() }")
    sides = in_turn(runs, lambda: whole_run([MOONTRACE, "-e", "print(1)"]), lambda: whole_run(nothing))
    (wall, memory), (their_wall, their_memory) = map(medians, sides)
    row("start to exit, nothing to do / bpftrace", wall, their_wall, "ms", "<= 1/15", 1 / 15)
    row("memory of that / bpftrace", memory, their_memory, "MB", "<= 1/5", 1 / 5)
    probe = "tracepoint:syscalls:sys_enter_getppid"
    ours = [MOONTRACE, "-e", f'probe("{probe}", function() print("seen") end)']
    theirs = bpftrace("-e", probe + ' { printf("seen\\n"); }')
    sides = in_turn(runs, lambda: first_event(ours), lambda: first_event(theirs))
    (ours,), (theirs,) = map(medians, sides)
    row("start to the first event of a probe / bpftrace", ours, theirs, "ms", "<= 1/10", 1 / 10)
