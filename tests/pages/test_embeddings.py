"""The page of vectors by AppTest: texts pasted or from a file, its views, two texts picked, and what is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from explain.models.pooling import POOLINGS
from explain.run.jobs import Cache
from pages.embeddings import two_texts
from pages.shared import session
from pages.shared.work import CLICKED
from tests.pages.test_explain_text import ROOT, drawn, errors, run
from tests.waiting import PATIENCE

HOSTILE = [
    "<script>alert(1)</script> **b**",
    "[x](javascript:alert(1)) $a$ :red[b]",
    "=1+1",
    "<b>x</b><br>%{x}",
    "电影 \u202e😀",
]
LOOKS = ("map", "search", "neighbors", "matrix", "clusters")
WORDS = ("film", "cast", "story", "joke", "minute", "picture", "people", "beach", "dog", "sea")
File = tuple[str, bytes, str]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tiny_folder_of: Callable[..., Path]) -> AppTest:
    """The page, with a tiny encoder that compares texts; not yet run."""
    monkeypatch.setenv("EXPLAIN_MODELS", f"tiny={tiny_folder_of('bert', '')}")
    app = AppTest.from_file(str(ROOT / "pages" / "embeddings" / "page.py"), default_timeout=PATIENCE)
    app.query_params["encoder"] = "tiny"
    app.session_state["python"] = True
    return app


@pytest.fixture
def among_pages(monkeypatch: pytest.MonkeyPatch, tiny_folder_of: Callable[..., Path]) -> AppTest:
    """The same among the others, which a link needs; shown."""
    monkeypatch.setenv("EXPLAIN_MODELS", f"tiny={tiny_folder_of('bert', '')}")
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    app.query_params["model"] = app.query_params["encoder"] = "tiny"
    app.run()
    app.switch_page("embeddings/page.py")
    return run(app)


def said(app: AppTest) -> str:
    return " ".join(one.value for one in (*app.caption, *app.info, *app.warning, *app.markdown)).replace("\\", "")


def load(app: AppTest, file: File) -> AppTest:
    app.query_params["texts_from"] = "Load a file"
    run(app)
    app.file_uploader[0].set_value(file)
    return run(app)


def test_there_is_something_to_look_at_at_first_sight(app: AppTest) -> None:
    run(app)
    assert app.title[0].value == "Which texts are alike?" and not app.error and not app.warning
    assert "24 texts as vectors of 32 numbers, by tiny (mean of all tokens)." in said(app)
    assert "of the variance: close points" in said(app) and "One cloud without groups" in said(app)
    assert drawn(app) == {"Two texts", "Export"}
    assert "explain.embed(lines, model='tiny', pooling='mean')" in app.code[0].value
    assert [one.label for one in app.get("download_button")] == ["Vectors, NumPy", "Vectors, Parquet", "Vectors, CSV"]


def test_hostile_lines_are_looked_at_like_any_other(among_pages: AppTest) -> None:
    app = among_pages
    app.text_area(key="pasted").set_value("\n".join(HOSTILE * 2))
    app.number_input(key="one").set_value(1)
    run(app)
    app.number_input(key="other").set_value(4)
    for look in LOOKS:
        app.button_group(key="look").set_value(look)
        run(app)
        if look == "search":
            app.text_input(key="query").set_value(HOSTILE[0])
            run(app)
        assert not app.error and not app.exception
        assert "10 texts" in said(app) and "Cosine" in said(app)
        assert [one.value for one in app.text][-2:] == [HOSTILE[0], HOSTILE[3]]
        if look in ("search", "neighbors"):
            table = app.dataframe[0].value
            assert table["text"][0] == HOSTILE[0] and table["cosine"][0] == pytest.approx(1)
            assert table["row"][0] == (1 if look == "search" else 6)
        if look == "clusters":
            assert app.dataframe[0].value["texts"].sum() == 10


def test_another_question_does_not_begin_with_the_vectors_again(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    run(app)
    app.button_group(key="look").set_value("clusters")
    monkeypatch.setattr("explain.models.transformer.EncoderVectors.read", lambda *_, **__: 1 / 0)
    run(app)
    assert not app.error and not app.exception and "Export" in drawn(app)


def test_every_pooling(app: AppTest) -> None:
    app.query_params["pooling"] = POOLINGS["max"]
    app.query_params["color"] = "length"
    run(app)
    assert not app.error and "pooling='max'" in app.code[0].value
    for pooling, named in (("cls", "cls"), ("last_four", "last_four"), ("layer", "layer:2")):
        app.selectbox(key="pooling").set_value(pooling)
        run(app)
        assert not app.error and f"pooling={named!r}" in app.code[0].value


def test_a_file_with_labels_of_which_the_first_rows_are_taken(app: AppTest) -> None:
    lines = [
        "body,kind",
        *(f"{WORDS[number % 10]} {WORDS[number // 10]},{'ab'[number % 2]}" for number in range(40)),
        " ,a",
    ]
    load(app, ("re[views].csv", "\n".join(lines).encode(), "text/csv"))
    assert not app.error and "41 texts" not in said(app) and "40 texts as vectors of 32" in said(app)
    assert "Rows without a text were left out: 1 (row 41)." in said(app)
    app.selectbox(key="label").set_value("kind")
    app.number_input(key="rows").set_value(30)
    run(app)
    assert not app.error and "30 texts as vectors of 32" in said(app) and "These are the first 30 rows" in said(app)
    assert app.selectbox(key="color").value == "label" and "the others are gray" not in said(app)
    assert "read_texts('re[views].csv', column='body', label='kind', most=30)" in app.code[0].value


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (("a.csv", b"", "text/csv"), "a.csv is empty"),
        (("a.csv", b"text\n", "text/csv"), "a.csv holds no texts"),
        (("<b>.txt", b"\xff\xfe", "text/plain"), "<b>.txt is UTF-16"),
        (("a.jsonl", b'{"a": 1}', "application/json"), "a.jsonl, row 1: 'a' holds int"),
        (("a.parquet", b"no", "application/octet-stream"), "no Parquet file"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_and_the_page_goes_on(app: AppTest, file: File, message: str) -> None:
    load(app, file)
    assert message in errors(app).replace("\\", "") and not app.exception
    app.file_uploader[0].set_value(("a.txt", b"a film\na dog\nthe sea", "text/plain"))
    run(app)
    assert not app.error and "3 texts as vectors of 32" in said(app)


def test_few_texts_are_no_error(app: AppTest) -> None:
    app.query_params["look"] = "Clusters"
    run(app)
    for lines, advice in (("", "Paste some texts"), ("a film", "1 text as vectors of 32")):
        app.text_area(key="pasted").set_value(lines)
        run(app)
        assert not app.error and not app.exception and advice in said(app)
    app.button_group(key="look").set_value("map")
    app.text_area(key="pasted").set_value("a film\na dog\nthe sea")
    run(app)
    app.button_group(key="map").set_value("UMAP")
    run(app)
    assert not app.error and "UMAP needs at least 10 texts. This is PCA." in said(app)


def test_more_than_may_be_remembered_is_told_before_it_is_computed(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Cache(3000)
    monkeypatch.setattr(session, "cache", lambda: small)
    run(app)
    assert "take 0 MB" in errors(app).replace("\\", "") and "EXPLAIN_CACHE_MB" in errors(app).replace("\\", "")


def test_two_texts_are_picked_and_a_link_explains_them_word_by_word(among_pages: AppTest) -> None:
    app = among_pages
    app.text_area(key="pasted").set_value("a film\n\nthe dog swims\nthe sea")
    app.number_input(key="one").set_value(3)
    run(app)
    app.number_input(key="other").set_value(2)
    run(app)
    assert app.number_input(key="other").value is None  # nothing stands in that line
    app.number_input(key="other").set_value(4)
    run(app)
    assert "**What makes them alike**" in said(app)
    (link,) = app.get("page_link")
    held = dict(parse_qsl(link.proto.query_string))
    assert held == {"text": "the dog swims", "pair": "the sea", "model": "tiny", "task": "sentence_similarity"}
    for key, value in held.items():
        app.query_params[key] = value
    app.switch_page("explain_text.py")
    run(app)
    assert not app.title and not app.error
    assert [app.session_state[key] for key in ("text", "pair")] == ["the dog swims", "the sea"]
    assert app.selectbox(key="model").value == "tiny" and "What makes them alike" in drawn(app)
    assert "text" not in app.query_params
    app.switch_page("embeddings/page.py")
    run(app)
    assert "3 texts as vectors of 32" in said(app) and app.number_input(key="one").value == 3


def test_a_file_is_still_there_when_one_comes_back(app: AppTest) -> None:
    load(app, ("a.txt", b"a film\na dog\nthe sea", "text/plain"))
    app.file_uploader[0].clear()
    run(app)
    assert "a.txt is still loaded." in said(app) and "3 texts as vectors of 32" in said(app)
    next(one for one in app.button if one.label == "Forget it").click()
    run(app)
    assert "Load a file" in said(app) and not app.error


def test_encoders_that_compare_no_texts_say_so(app: AppTest) -> None:
    app.query_params["encoder"] = "base"
    app.query_params["one"], app.query_params["other"] = "1", "2"
    run(app)
    assert (
        not app.error
        and not app.get("page_link")
        and "trained for fill-mask" in said(app)
        and "Choose one as encoder" in said(app)
    )


def test_clicks_pick_two_texts_the_last_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    session: dict[str, Any] = {}
    monkeypatch.setattr(two_texts.st, "session_state", session)
    picks = []
    for row in (5, 5, 7, 9, 7):
        two_texts.pick(row)
        picks.append((session.get("one"), session.get("other")))
    assert picks == [(5, None), (5, None), (5, 7), (7, 9), (7, 9)] and session[CLICKED]


def test_texts_and_vectors_that_do_not_both_fit_are_not_computed_again_and_again(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Cache(21_000)
    monkeypatch.setattr(session, "cache", lambda: small)
    load(app, ("a.txt", "\n".join(f"{'a film ' * 40}{number}" for number in range(60)).encode(), "text/plain"))
    assert "texts and their vectors take 0 MB" in errors(app).replace("\\", "") and not app.exception


def test_word_by_word_is_of_the_beginnings_of_long_texts(among_pages: AppTest) -> None:
    app = among_pages
    app.text_area(key="pasted").set_value("\n".join(("the dog swims in the sea " * 6, "a film " * 14, "good")))
    app.number_input(key="one").set_value(1)
    run(app)
    app.number_input(key="other").set_value(2)
    run(app)
    assert "the first 32 pieces of each" in said(app) and not app.error
    app.number_input(key="one").set_value(3)
    app.number_input(key="other").set_value(None)
    run(app)
    assert "pieces of each" not in said(app)


def test_texts_whose_vectors_are_all_one_are_drawn_without_clusters(app: AppTest) -> None:
    run(app)
    app.text_area(key="pasted").set_value("Film\nfilm\nFILM\nfIlm")
    run(app)
    assert "4 texts as vectors of 32" in said(app) and "differ; clusters need three" in errors(app).replace("\\", "")
    assert "have the same vector" in said(app) and "of the variance" not in said(app) and not app.exception
    app.text_area(key="pasted").set_value("a film\na dog")
    run(app)
    assert not app.error and "A map needs at least 3 texts" in said(app)


def test_a_link_with_a_row_that_is_no_number_does_nothing(app: AppTest) -> None:
    app.query_params["one"] = "9" * 5000
    run(app)
    assert not app.error and not app.exception


def test_a_link_with_two_rows_is_explained_at_once(
    monkeypatch: pytest.MonkeyPatch, tiny_folder_of: Callable[..., Path]
) -> None:
    """Nothing is known before, and all is found in a moment: no poll comes that would bring the matrix."""
    fresh = Cache()
    monkeypatch.setattr(session, "cache", lambda: fresh)
    monkeypatch.setenv("EXPLAIN_MODELS", f"tiny={tiny_folder_of('bert', '')}")
    app = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=PATIENCE)
    app.query_params.update({"model": "tiny", "encoder": "tiny", "one": "1", "other": "2"})
    app.run()
    app.switch_page("embeddings/page.py")
    run(app)
    assert "**What makes them alike**" in said(app) and not app.error and not app.exception
