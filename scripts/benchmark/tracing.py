"""What a trace costs the process that is traced, and what it loses."""
import statistics
import subprocess
import tempfile

from .measure import MOONTRACE, WORKLOAD, bpftrace, fail, in_turn, medians
from .table import row

CALLS = 500_000


class Workload:
    """A process that calls getppid as fast as it can, and says how many nanoseconds a call took."""

    def __init__(self, directory):
        self.figure = f"{directory}/figure"
        self.output = f"{directory}/output"
        script = f"{directory}/calls"
        with open(script, "w") as text:
            text.write(f"exec {WORKLOAD} getppid {CALLS} >{self.figure}\n")
        self.command = ["/bin/sh", script]

    def run(self, command):
        """Nanoseconds of a call, and how many lines the command printed."""
        with open(self.output, "w") as output:
            done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            fail(command, done.returncode, done.stderr)
        with open(self.figure) as figure, open(self.output, "rb") as output:
            return float(figure.read()), sum(block.count(b"\n") for block in iter(lambda: output.read(1 << 20), b""))

    def traced(self, command):
        """Both tracers start it with `-c` when their probes are attached."""
        return lambda: self.run(command[:-2] + ["-c", " ".join(self.command)] + command[-2:])


def counting_row(workload, runs):
    """The added cost of an event: what a call takes longer than without a trace."""
    probe = "tracepoint:raw_syscalls:sys_enter"
    ours = [MOONTRACE, "-e", f'probe("{probe}", function() count(comm) end)']
    theirs = bpftrace("-e", probe + " { @[comm] = count(); }")
    sides = in_turn(runs, lambda: workload.run(workload.command), workload.traced(ours), workload.traced(theirs))
    plain, ours, theirs = ([time for time, _ in side] for side in sides)
    added = [statistics.median(after - before for before, after in zip(plain, side)) for side in (ours, theirs)]
    row("count(comm) in the kernel, per event / bpftrace", *added, "ns", "<= 0.7", 0.7)


def printing_rows(workload, runs):
    """Each call printed with four fields, into a file; both with their default buffers."""
    probe = "tracepoint:syscalls:sys_enter_getppid"
    event = "function() return { pid = pid, tid = tid, comm = comm, at = nsecs } end"
    theirs = bpftrace("-e", probe + ' { printf("%d %d %s %lu\\n", pid, tid, comm, nsecs); }')
    sides = in_turn(
        runs, workload.traced([MOONTRACE, "-e", f'probe("{probe}", {event})']), workload.traced(theirs))
    (time, lines), (their_time, their_lines) = map(medians, sides)
    lost, their_lost = (100 * max(0, CALLS - lines) / CALLS for lines in (lines, their_lines))
    row("system calls printed as fast as made: lost / bpftrace", lost, their_lost, "%", "0", 0)
    row("such a call, traced / bpftrace", time, their_time, "ns", "<= 1", 1)


def rows(runs):
    with tempfile.TemporaryDirectory() as directory:
        workload = Workload(directory)
        counting_row(workload, runs)
        printing_rows(workload, runs)
