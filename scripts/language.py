"""Count local names that do not say what they hold; `make check` fails if there are too many.

    python -m scripts.language          # counts and limits
    python -m scripts.language found    # the places where a word is bound

A name is bound where it is assigned, looped over, annotated, taken as an argument, imported under it, or caught.
"""

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("explain", "pages")

# Words that say only that something was found, told or chosen; their limit is for all together.
DIALECT = ("found", "one", "told", "asked", "given", "said", "those", "chosen")
MOST_DIALECT = 15
# Words that say little, each with the limit that held when it was set.
VAGUE = {"result": 30, "value": 30, "data": 5, "item": 25, "tmp": 0}


def sources() -> list[Path]:
    """Return the files that are checked."""
    return [ROOT / "app.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]


def bindings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield each name that is bound, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node.lineno


def places(words: tuple[str, ...]) -> Iterator[tuple[str, Path, int]]:
    """Yield where each of some words is bound."""
    for path in sources():
        for name, line in bindings(ast.parse(path.read_text(encoding="utf-8"))):
            if name in words:
                yield name, path.relative_to(ROOT), line


def excesses(counts: Counter[str]) -> list[str]:
    """Return a line for each limit that is exceeded."""
    lines = []
    if (dialect := sum(counts[word] for word in DIALECT)) > MOST_DIALECT:
        lines.append(f"{', '.join(DIALECT)}: bound {dialect} times in all; at most {MOST_DIALECT} are allowed.")
    for word, most in VAGUE.items():
        if counts[word] > most:
            lines.append(f"{word}: bound {counts[word]} times; at most {most} are allowed.")
    return lines


def main() -> int:
    """Print counts, or the places of some words; return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("words", nargs="*", help="words whose places are printed")
    words = tuple(parser.parse_args().words)
    if words:
        for name, path, number in places(words):
            print(f"{path}:{number}: {name}")
        return 0
    counts = Counter(name for name, _, _ in places((*DIALECT, *VAGUE)))
    print(", ".join(f"{word} {counts[word]}" for word in (*DIALECT, *VAGUE)))
    problems = excesses(counts)
    for line in problems:
        print(f"{line} Name what it holds; `python -m scripts.language WORD` says where.", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
