"""The page Help by AppTest: every page of the guide opens, and nothing heavy is loaded for it."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explain.core import guide

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app() -> AppTest:
    """The whole app, not yet run; see test_explain_text.py."""
    return AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=60)


def opened(app: AppTest, topic: str) -> AppTest:
    app.switch_page("help.py")
    app.query_params["topic"] = topic
    app.run()
    assert not app.exception and not app.error
    return app


def shown(app: AppTest) -> str:
    return "\n".join(block.value for block in app.markdown)


@pytest.mark.parametrize("name", [*guide.contents(), "weights/sentiment", "docs/decisions/0012-default-methods"])
def test_every_page_opens(app: AppTest, name: str) -> None:
    opened(app, name)
    page = guide.pages()[name]
    assert not app.warning
    assert app.title[0].value == page.title
    parts = guide.parts(page, "?topic={}".format)
    assert shown(app) == "\n".join(part for part in parts if isinstance(part, str))
    pictures = [part for part in parts if isinstance(part, guide.Picture)]
    assert len(app.get("image")) == len(pictures)
    assert app.radio[0].value == (name if name in guide.contents() else None)


def test_the_guide_starts_with_its_index(app: AppTest) -> None:
    app.switch_page("help.py").run()
    assert app.title[0].value == "Where to start"


def test_a_link_to_no_page_is_told(app: AppTest) -> None:
    opened(app, "../../etc/passwd")
    assert "no page of that name" in app.warning[0].value
    assert app.title[0].value == "Where to start"


def test_the_list_and_the_button_lead_on(app: AppTest) -> None:
    opened(app, "index")
    assert app.radio[0].options == list(guide.contents().values())
    app.radio[0].set_value("glossary").run()
    assert app.title[0].value == "Glossary" and app.query_params["topic"] == "glossary"
    names = list(guide.contents())
    following = names[names.index("glossary") + 1]
    app.button(key="help_next").click().run()
    assert app.title[0].value == guide.pages()[following].title


def test_no_torch_is_loaded() -> None:
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"app = AppTest.from_file({str(ROOT / 'pages' / 'help.py')!r}).run(timeout=60);"
        "assert app.title[0].value == 'Where to start' and not app.exception;"
        "print([name for name in ('torch', 'transformers', 'captum') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"
