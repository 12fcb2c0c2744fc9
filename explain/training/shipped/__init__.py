"""Example data for training; see README.md in this folder."""

from pathlib import Path

_HERE = Path(__file__).parent

# By kind of run: the file, and what it is, in a sentence or two.
SHIPPED = {
    "table": (
        _HERE / "requests.csv",
        "288 short lines that we wrote: questions, statements and requests, without question marks. Many hold the same "
        "words in another order, so counting words is not enough.",
    ),
    "lines": (_HERE / "guide.txt", "The prose of this project's own documentation, some 9,000 words."),
}
