import pytest

from explain.core.errors import DataError
from explain.text.lines import MOST_BYTES, MOST_LINES, Lines, read_lines


def test_one_text_a_line() -> None:
    assert read_lines("\ufeffgood\r\n\n  bad film \n\u200b\ngood\n".encode()) == Lines(("good", "bad film"), (1, 3))
    assert read_lines("a\tb\nc") == Lines(("a\tb", "c"), (1, 2))
    many = "\n".join(map(str, range(MOST_LINES + 7)))
    assert len(read_lines(many).texts) == MOST_LINES and read_lines(many).left_out == 7
    assert read_lines(many, most=2) == Lines(("0", "1"), (1, 2), MOST_LINES + 5)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("caf\u00e9".encode("latin-1"), r"not UTF-8 \(byte 4\). Save it"),
        (b" \n\n", "no text in it"),
        (b"a" * (MOST_BYTES + 1), "8.4 MB; at most 8.4 MB"),
    ],
)
def test_what_can_not_be_read_is_told(source: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_lines(source)
