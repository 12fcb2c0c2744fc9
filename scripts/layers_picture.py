"""Draw the rooms of `explain` as layers, from the import contracts in pyproject.toml.

    python -m scripts.layers_picture > docs/images/layers.svg

`make golden` writes the picture too, and a test compares it with the contracts.
"""

import re
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
ABOVE = ("app.py", "pages", "benchmarks")  # they import the package, and it imports none of them
WIDTH, HEIGHT, GAP, MARGIN = 720, 34, 10, 24
TEXT_WIDTH = 560  # of all boxes in a row; the rest is for the arrow and its label

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #2c2b29; text-anchor: middle; }
.note { font-size: 12px; fill: #6b6a69; text-anchor: start; }
.room { fill: #f4f1ec; stroke: #b9b4ab; }
.outside { fill: none; stroke: #b9b4ab; stroke-dasharray: 4 3; }
.arrow { stroke: #6b6a69; stroke-width: 1.5; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #ecebe8; }
  .note { fill: #b3b1ad; }
  .room { fill: #2b2d33; stroke: #5d616b; }
  .outside { stroke: #5d616b; }
  .arrow { stroke: #b3b1ad; }
}
"""


def layers() -> list[list[str]]:
    """Return the rooms of each layer, the highest first, without the package's name."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = next(entry for entry in settings["contracts"] if entry["type"] == "layers")
    names = [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]
    return [[name.removeprefix(settings["root_package"] + ".") for name in row] for row in names]


def svg() -> str:
    """Return the picture."""
    rows = [list(ABOVE), *layers()]
    height = 2 * MARGIN + len(rows) * (HEIGHT + GAP) - GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">',
            "<title>The rooms of explain: each imports only from rooms below it</title>",
            f"<style>{STYLE}</style>",
            *(box for number, row in enumerate(rows) for box in _boxes(row, number)),
            *_arrow(height),
            "</svg>\n",
        ]
    )


def _boxes(row: list[str], number: int) -> Iterator[str]:
    width = (TEXT_WIDTH - GAP * (len(row) - 1)) / len(row)
    top = MARGIN + number * (HEIGHT + GAP)
    kind = "outside" if number == 0 else "room"
    for place, name in enumerate(row):
        left = MARGIN + place * (width + GAP)
        yield f'<rect class="{kind}" x="{left:g}" y="{top}" width="{width:g}" height="{HEIGHT}" rx="4"/>'
        yield f'<text x="{left + width / 2:g}" y="{top + 22}">{escape(name)}</text>'


def _arrow(height: int) -> Iterator[str]:
    left, bottom = MARGIN + TEXT_WIDTH + 24, height - MARGIN
    yield f'<path class="arrow" d="M{left} {MARGIN}V{bottom}m-5 -9l5 9l5 -9"/>'
    yield f'<text class="note" x="{left + 12}" y="{height // 2}">imports</text>'


if __name__ == "__main__":
    print(svg(), end="")
