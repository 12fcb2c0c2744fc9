"""Check that no file has more than 600 lines and no function more than 60; `make check` runs it."""

import ast
import sys
from collections.abc import Iterator

from scripts.language import ROOT, sources

MOST_LINES_OF_A_FILE = 600
MOST_LINES_OF_A_FUNCTION = 60


def excesses() -> Iterator[str]:
    """Yield a line for each file and function that is too long."""
    for path in sources():
        source = path.read_text(encoding="utf-8")
        place = path.relative_to(ROOT)
        if (lines := source.count("\n")) > MOST_LINES_OF_A_FILE:
            yield f"{place} has {lines} lines; at most {MOST_LINES_OF_A_FILE} are allowed. Split it by what it does."
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    yield (
                        f"{place}:{node.lineno}: {node.name} has {lines} lines; "
                        f"at most {MOST_LINES_OF_A_FUNCTION} are allowed. Split it by its steps."
                    )


if __name__ == "__main__":
    too_long = list(excesses())
    print("\n".join(too_long) or "No file and no function is too long.")
    sys.exit(bool(too_long))
