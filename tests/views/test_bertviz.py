"""BertViz's page as it is made: the numbers, the bounds, nothing from outside, nothing of a token that could run."""

import base64
import dataclasses
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import explain
from explain.core.errors import ExplainError, SettingError
from explain.datatypes import AttentionMaps, AttentionVectors
from explain.testing import LinearModel
from explain.views import bertviz_page
from explain.views.base import VIEWS
from explain.views.bertviz import most_tokens

BERTVIZ = VIEWS["bertviz"]
HOSTILE = ["</script><script>parent.document.title='PWNED'</script>", "<img src=x onerror=alert(1)>", "\u2028\u202e"]


def long_model() -> LinearModel:
    model = LinearModel("long")
    model.max_tokens = 400
    return model


def seen(
    text: str, pair: str | None = None, layers: int = 3, heads: int = 4, pieces: list[str] | None = None
) -> tuple[AttentionMaps, AttentionVectors]:
    """Attention that is the softmax of random queries and keys; `pieces` take the place of as many tokens."""
    tokens = long_model().encode(text, pair)
    if pieces:
        named = [*tokens.pieces[:1], *pieces, *tokens.pieces[1 + len(pieces) :]]
        tokens = dataclasses.replace(tokens, pieces=tuple(named), spans=np.zeros((len(tokens), 2)))
    queries, keys = np.random.default_rng(0).normal(size=(2, layers, heads, len(tokens), 8))
    weights = np.exp(queries @ keys.swapaxes(-1, -2) / np.sqrt(8))
    weights /= weights.sum(axis=-1, keepdims=True)
    groups = tuple(str(head) for head in range(heads))
    return AttentionMaps(tokens, weights, groups), AttentionVectors(tokens, queries, keys)


def drawn(
    which: str, text: str = "one two three", pair: str | None = None, pieces: list[str] | None = None, **options: Any
) -> dict[str, Any]:
    maps, vectors = seen(text, pair, pieces=pieces)
    return BERTVIZ.data(maps, which=which, vectors=vectors, **options)


def parameters(data: dict[str, Any]) -> dict[str, Any]:
    (found,) = re.findall(r"unpacked\((\{.*\})\);", data["page"])
    return json.loads(found)


def part(data: dict[str, Any], name: str = "all") -> dict[str, Any]:
    return dict(bertviz_page._named_parts(parameters(data)["attention"]))[name]


class Elements(HTMLParser):
    """The elements of a page as a browser finds them: what is inside a script is no element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attributes]
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.scripts:
            self.scripts[-1] += data


@pytest.mark.parametrize("which", ["head", "model", "neuron"])
def test_the_numbers_are_the_maps(which: str) -> None:
    maps, vectors = seen("one two three")
    all_of_it = part(BERTVIZ.data(maps, which=which, vectors=vectors))
    assert np.abs(np.array(all_of_it["attn"]) / 1000 - maps.weights).max() <= 5.1e-4
    if which == "neuron":
        assert np.abs(np.array(all_of_it["queries"]) / 1000 - vectors.queries).max() <= 5.1e-4
        assert np.abs(np.array(all_of_it["keys"]) / 1000 - vectors.keys).max() <= 5.1e-4


@pytest.mark.parametrize("which", ["head", "model", "neuron"])
def test_nothing_comes_from_outside_and_only_our_scripts_run(which: str) -> None:
    page = drawn(which, pair="four")["page"]
    elements = Elements(page)
    assert not {"src", "href", "srcdoc", "onload", "onerror"} & set(elements.attributes)
    assert not {"link", "img", "iframe", "object", "base"} & set(elements.names)
    assert "url(" not in page and "@import" not in page
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in elements.scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert policy == f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:"
    assert [text for text in elements.scripts if "unpacked({" in text] == elements.scripts[-2:-1]


@pytest.mark.parametrize("which", ["head", "model", "neuron"])
@pytest.mark.parametrize("pair", [None, "five six"])
def test_hostile_tokens_stay_text(which: str, pair: str | None) -> None:
    tame = drawn(which, "one two thr four", pair)
    wild = drawn(which, "one two thr four", pair, pieces=HOSTILE)
    assert Elements(wild["page"]).names == Elements(tame["page"]).names
    texts = part(wild)["left_text"]
    assert texts[1:3] == HOSTILE[:2] and texts[3] == "\u2028⟨U+202E⟩" and "\u2028" not in wild["page"]
    assert part(wild)["right_text"] == texts


def test_tokens_are_called_what_they_were_written() -> None:
    assert part(drawn("head", "Three"))["left_text"] == ["[CLS]", "Thre", "##e", "[SEP]"]


@pytest.mark.parametrize("which", ["head", "model", "neuron"])
def test_a_pair_is_drawn_whole_and_from_text_to_text(which: str) -> None:
    maps, vectors = seen("one two", "three")
    data = BERTVIZ.data(maps, which=which, vectors=vectors)
    first, second = ["[CLS]", "one", "two", "[SEP]"], ["thre", "##e", "[SEP]"]
    assert part(data)["left_text"] == first + second
    for name, left, right in (
        ("aa", first, first),
        ("ab", first, second),
        ("ba", second, first),
        ("bb", second, second),
    ):
        some = part(data, name)
        assert (some["left_text"], some["right_text"]) == (left, right)
        rows, columns = (slice(0, 4) if side == "a" else slice(4, 7) for side in name)
        assert np.abs(np.array(some["attn"]) / 1000 - maps.weights[:, :, rows, columns]).max() <= 5.1e-4
        if which == "neuron":
            assert np.abs(np.array(some["queries"]) / 1000 - vectors.queries[:, :, rows]).max() <= 5.1e-4
            assert np.abs(np.array(some["keys"]) / 1000 - vectors.keys[:, :, columns]).max() <= 5.1e-4
    assert "Sentence B is the second text" in data["note"] and "Sentence A -&gt; Sentence B" not in data["note"]


def test_bounds() -> None:
    assert [most_tokens(which, 6, 12) for which in ("head", "model", "neuron")] == [64, 32, 64]
    assert most_tokens("head", 1, 12) == 128 and most_tokens("head", 1, 16) < 128
    assert most_tokens("head", 2, 2) == 64  # small models get no more
    assert [most_tokens(which, 12, 12) for which in ("head", "model", "neuron")] == [45, 22, 45]


@pytest.mark.parametrize(("which", "count"), [("head", 64), ("model", 32), ("neuron", 64)])
def test_a_cut_is_told_and_the_weights_stay_true(which: str, count: int) -> None:
    maps, vectors = seen("word " * 148)
    data = BERTVIZ.data(maps, which=which, vectors=vectors)
    assert (data["drawn"], data["tokens"]) == (count, 150)
    assert f"The first {count} of 150 tokens are drawn" in data["note"] and "are the true ones" in data["note"]
    assert f"the first {count} of 150 tokens" in data["summary"]
    weights = np.array(part(data)["attn"]) / 1000
    assert np.abs(weights - maps.weights[:, :, :count, :count]).max() <= 5.1e-4
    assert weights.sum(axis=-1).max() < 0.9  # not filled up to 1
    assert ("A single layer is drawn with up to 128 tokens" in data["note"]) == (which == "head")


def test_what_is_not_cut_says_nothing_of_it() -> None:
    data = drawn("head")
    assert data["drawn"] == data["tokens"] == 6 and "are drawn" not in data["note"]
    assert (
        "Attention says where a layer reads" in data["note"] and "share of the left token's attention" in data["note"]
    )


def test_one_layer_is_drawn_longer() -> None:
    maps, _ = seen("word " * 148)
    data = BERTVIZ.data(maps, layers=[2])
    assert data["drawn"] == 128
    assert np.abs(np.array(part(data)["attn"])[0] / 1000 - maps.weights[2, :, :128, :128]).max() <= 5.1e-4
    assert parameters(data)["include_layers"] == [2]


def test_a_second_text_that_is_cut_away_is_told() -> None:
    maps, _ = seen("word " * 80, "other")
    data = BERTVIZ.data(maps)
    assert "No token of the second text" in data["note"]
    assert len(parameters(data)["attention"]) == 1


def test_chosen_layers_and_heads() -> None:
    head = parameters(drawn("head", layer=1, head=2))
    assert (head["layer"], head["heads"], head["include_layers"]) == (1, [2], [0, 1, 2])
    neuron = parameters(drawn("neuron", layer=1, head=2))
    assert (neuron["layer"], neuron["head"]) == (1, 2)
    maps, vectors = seen("one")
    some = BERTVIZ.data(maps, which="neuron", vectors=vectors, layers=[2, 1], layer=2)
    assert parameters(some)["layer"] == 1 and '"layers": [1, 2]' in some["page"]
    assert np.abs(np.array(part(some)["keys"]) / 1000 - vectors.keys[1:]).max() <= 5.1e-4
    model = parameters(BERTVIZ.data(maps, which="model", layers=[1]))
    assert (model["include_layers"], model["include_heads"], model["total_heads"]) == ([1], ["0", "1", "2", "3"], 8)


def test_averaged_heads_are_one_head() -> None:
    maps, _ = seen("one two")
    data = BERTVIZ.data(AttentionMaps(maps.tokens, maps.mean()[:, None], ("mean",)), which="model")
    assert parameters(data)["include_heads"] == ["mean"] and np.shape(part(data)["attn"]) == (3, 1, 4, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"which": "neuron"}, "hand them over as `vectors`"),
        ({"which": "hed"}, "Did you mean 'head'"),
        ({"layers": [3]}, "no layer 3 to draw; there is: 0, 1, 2"),
        ({"layers": []}, "no layer None"),
        ({"layers": [1], "layer": 2}, "no layer 2 to draw; there is: 1"),
        ({"head": 4}, "no head 4"),
    ],
)
def test_what_can_not_be_drawn_is_said(options: dict[str, Any], message: str) -> None:
    maps, _ = seen("one two three")
    with pytest.raises(SettingError, match=message):
        BERTVIZ.data(maps, **options)


def test_vectors_must_be_of_the_same_text_and_model() -> None:
    maps, _ = seen("one two three")
    for other in (seen("one two four"), seen("one two three", layers=2)):
        with pytest.raises(SettingError, match="another text or model"):
            BERTVIZ.data(maps, which="neuron", vectors=other[1])


def test_the_neuron_view_says_where_products_are_not_all() -> None:
    maps, vectors = seen("one two three")
    other = AttentionVectors(maps.tokens, vectors.queries * 2, vectors.keys)
    assert "not all" not in BERTVIZ.data(maps, which="neuron", vectors=vectors)["note"]
    long_maps, long_vectors = seen("word " * 148)
    assert "not all" not in BERTVIZ.data(long_maps, which="neuron", vectors=long_vectors)["note"]
    assert "not all" in BERTVIZ.data(maps, which="neuron", vectors=other)["note"]


@pytest.mark.parametrize("which", ["head", "model", "neuron"])
def test_the_same_twice(which: str) -> None:
    """A page draws only what has changed."""
    assert drawn(which, pair="four") == drawn(which, pair="four")


@pytest.mark.parametrize("change", [("require.min.js", "loader.js"), ("const params", "let params")])
def test_another_bertviz_is_refused(change: tuple[str, str]) -> None:
    made = bertviz_page.head_view(np.ones((1, 1, 2, 2), dtype=np.int64), None, None, None)
    about = {"which": "head", "layers": [1], "heads": ["0"], "caption": ""}
    assert bertviz_page.stand_alone(made, ["a", "b"], None, about)
    for other in (made.replace(*change), made + '<script src="https://elsewhere"></script>'):
        with pytest.raises(ExplainError, match=r"requirements\.txt"):
            bertviz_page.stand_alone(other, ["a", "b"], None, about)


def test_bertviz_is_imported_when_it_draws_and_not_before() -> None:
    code = "import sys, explain.views.bertviz; print({'torch', 'bertviz'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_what_is_of_others_is_what_its_notice_says() -> None:
    folder = Path(explain.__file__).parent / "views" / "assets" / "vendor"
    notice = (folder / "NOTICE").read_text()
    scripts = sorted(folder.glob("*.js"))
    assert len(scripts) == 2
    for script in scripts:
        assert script.name in notice and hashlib.sha256(script.read_bytes()).hexdigest() in notice
        assert (folder / f"{script.name.split('.')[0]}.LICENSE").is_file()
