import pytest

from explain.testing import check_view
from explain.views.base import VIEWS
from explain.views.document import document
from tests.golden import golden_files, results, sample_report

FILES = golden_files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_golden(path: object) -> None:
    with path.open(encoding="utf-8", newline="") as opened:
        assert opened.read() == FILES[path], "run `make golden` and read the difference"


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_is_shown_and_safe(name: str) -> None:
    check_view(VIEWS[name], results()[name])


def test_the_file_opens_without_a_network() -> None:
    report, maps = sample_report()
    page = document(report, {one.method: ("", "", "") for one in report.attributions}, maps)
    assert "default-src 'none'" in page
    for outside in ("http://", "https://", "//cdn", "@import", "url("):
        allowed = page.count("http://www.w3.org/2000/svg") if outside == "http://" else 0
        assert page.count(outside) == allowed, outside
