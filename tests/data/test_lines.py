import pytest

from explain.core.errors import DataError
from explain.data.texts import LINES_LIMITS, MOST_LINES, read_lines


def test_one_text_a_line() -> None:
    lines = read_lines("\ufeffgood\r\n\n  bad film \n\u200b\ngood\n".encode())
    assert lines.texts == ("good", "bad film") and lines.rows == (1, 3) and not lines.left_out
    assert lines.report.empty.first == (2, 4) and lines.report.repeated.first == (5,)
    assert read_lines("a\tb\nc").texts == ("a\tb", "c")
    many = "\n".join(map(str, range(MOST_LINES + 7)))
    assert len(read_lines(many).texts) == MOST_LINES and read_lines(many).left_out == 7
    few = read_lines(many, most=2)
    assert (few.texts, few.rows, few.left_out) == (("0", "1"), (1, 2), MOST_LINES + 5)
    with pytest.warns(DeprecationWarning, match="is now `rows`"):
        assert few.numbers == few.rows


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("caf\u00e9".encode("latin-1"), r"not UTF-8: line 1 holds the byte 0xE9. Save it"),
        (b" \n\n", r"holds no texts\. Give one text a line"),
        (b"a" * ((LINES_LIMITS.stored or 0) + 1), "has 8 MB; at most 8 MB are read"),
    ],
)
def test_what_can_not_be_read_is_told(source: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_lines(source)
