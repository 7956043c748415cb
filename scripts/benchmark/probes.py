"""What compiling probes takes and gives, on the probes of ten recipes.

Tests/ProbeBenchmark holds the same probes in C, as one writes them with libbpf.
"""
import collections
import statistics
import subprocess
import tempfile

from .elf import code_size
from .measure import MOONTRACE, TOP, fail
from .table import row

SOURCES = TOP / "Tests" / "ProbeBenchmark"
INSTRUCTION_SIZE = 8

Cost = collections.namedtuple("Cost", "microseconds instructions")


def output(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        fail(command, done.returncode, done.stderr)
    return done.stdout


def recipes():
    return sorted(path.name.removesuffix(".bpf.c") for path in SOURCES.glob("*.bpf.c"))


def costs(recipe):
    """The cost of each probe of a recipe, with its options at their defaults. A time is a median of CPU
    time, taken within the process."""
    lines = output([MOONTRACE, "run", "--dump", "cost", TOP / "lua-lib" / "recipes" / f"{recipe}.lua"]).splitlines()
    return [Cost(float(line.split()[0]), int(line.split()[1])) for line in lines[1:]]


def compile_rows(_):
    times = [cost.microseconds for recipe in recipes() for cost in costs(recipe)]
    row(f"compiling one of {len(times)} probes, the median / 1 ms", statistics.median(times), 1000, "us", "<= 1", 1)
    row("compiling one of them, the slowest / 1 ms", max(times), 1000, "us", "<= 1", 1)


def compiled_by_clang(recipe, directory):
    """The instructions of the C version: as compiled, before the kernel rewrites them, like ours."""
    target = f"{directory}/{recipe}.o"
    includes = [f"-I{directory}", "-I/usr/include/x86_64-linux-gnu"]
    output(
        ["clang", "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Werror", *includes, "-c"]
        + [SOURCES / f"{recipe}.bpf.c", "-o", target])
    return code_size(target) // INSTRUCTION_SIZE


def instruction_rows(_):
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/vmlinux.h", "w") as header:
            header.write(output(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"]))
        for recipe in recipes():
            ours = sum(cost.instructions for cost in costs(recipe))
            theirs = compiled_by_clang(recipe, directory)
            row(f"BPF instructions of {recipe} / clang -O2", ours, theirs, "", "<= 1.3", 1.3)
