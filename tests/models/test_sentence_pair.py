"""Two texts in one sequence give the cosine of two separate calls, in every family and along every way in."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from captum.attr import IntegratedGradients as Captum

import explain
from explain.analyses.similarity import SimilarityAttribution
from explain.core.errors import ModelError, TargetError, TextError
from explain.core.meter import Meter
from explain.datatypes import Target
from explain.methods.base import METHODS
from explain.methods.integrated_gradients import IntegratedGradients
from explain.models.analysis import ExplainedText
from explain.models.base import Row
from explain.models.loading.catalogue import load_folder
from explain.models.transformer import EncoderModel
from explain.numerics.quadrature import gauss_legendre
from explain.report.record import from_json, to_json
from explain.report.replay import replay
from explain.testing import check_task, default_item
from explain.text.removal import OPERATORS, unchanged
from explain.views.scores_table import matrix_to_csv, to_text
from tests.tiny_models import FAMILY_NAMES, tiny_folder

PAIR = ("Two people walk, unbelievably.", "Their dog swims in the sea far away.")
FAMILIES = [family for family in FAMILY_NAMES if family != "deberta-v2"]
families = pytest.mark.parametrize("family", FAMILIES)
Tiny = Callable[..., EncoderModel]


@pytest.fixture
def model(family: str, tiny: Tiny) -> EncoderModel:
    return tiny(family, "")


@pytest.fixture
def vector(family: str, tiny_folder_of: Callable[..., Path]) -> Callable[[str], torch.Tensor]:
    """A text's vector by the plain call: the mean of the last layer."""
    folder = tiny_folder_of(family, "")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    module = transformers.AutoModel.from_pretrained(folder).eval()

    def run(text: str) -> torch.Tensor:
        with torch.no_grad():
            return module(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0)

    return run


@families
def test_the_score_is_the_cosine_of_two_calls(model: EncoderModel, vector: Callable[[str], torch.Tensor]) -> None:
    tokens, target = default_item(model, *PAIR)
    served = float(torch.cosine_similarity(vector(PAIR[0]), vector(PAIR[1]), dim=0))
    assert target.scale == "similarity"
    assert model.value(model.predict(tokens), target) == pytest.approx(served, abs=1e-5)
    observation = model.observe(tokens)
    assert model.value(observation.prediction, target) == pytest.approx(served, abs=1e-5)
    assert model.scores([Row(tokens, unchanged(tokens), target)]).values[0] == pytest.approx(served, abs=1e-5)
    if "gradients" in model.capabilities:
        points = model.word_embeddings(tokens)[None]
        assert float(model.values(tokens, target, points)[0]) == pytest.approx(served, abs=1e-5)
    across = observation.maps.weights[:, :, tokens.segment == 0][..., tokens.segment == 1]
    assert across.size and not across.any()
    assert model.rows_read(tokens, target).sum() == pytest.approx(1)


@families
def test_texts_are_read_as_they_are_alone(model: EncoderModel) -> None:
    tokens = model.encode(*PAIR)
    tokenizer = model._tokenizer
    assert tokens.ids.tolist() == [*tokenizer(PAIR[0])["input_ids"], *tokenizer(PAIR[1])["input_ids"]]
    assert tokens.segment.tolist() == sorted(tokens.segment.tolist())
    for unit in tokens.word_units():
        segment, start, stop = tokens.unit_span(unit)
        assert PAIR[segment][start:stop] == tokens.unit_text(unit)


@families
def test_the_task_keeps_its_promises(model: EncoderModel) -> None:
    check_task(model.task, model)
    with pytest.raises(TargetError, match="compares the whole texts"):
        model.task.target(model.predict(model.encode(*PAIR)), model.head, position=1)


@families
@pytest.mark.parametrize("operator", OPERATORS)
def test_removal_in_one_text_leaves_the_other_alone(
    model: EncoderModel, operator: str, vector: Callable[[str], torch.Tensor]
) -> None:
    """Batched with longer rows, so that padding is there too."""
    tokens, target = default_item(model, *PAIR)
    words = tokens.word_units()
    rows = [model.removed(tokens, unit, operator, target) for unit in (words[0], words[-2], (*words[0], *words[-2]))]
    rows.append(Row(tokens, unchanged(tokens), target))
    together = model.scores(rows).values
    assert np.allclose(together, [model.scores([row]).values[0] for row in rows], atol=1e-5)
    assert len(set(np.round(together, 7).tolist())) == 4
    if operator == "delete" and model.name in ("bert", "distilbert"):
        served = torch.cosine_similarity(vector("people walk, unbelievably."), vector(PAIR[1]), dim=0)
        assert together[0] == pytest.approx(float(served), abs=1e-5)


def test_integrated_gradients_equal_captums_on_two_calls(tiny: Tiny) -> None:
    model = tiny("bert", "")
    tokens, target = default_item(model, *PAIR)
    ours, together = (
        IntegratedGradients(steps=24, baseline="pad", emptied=emptied).attribute(model, tokens, target)
        for emptied in ("auto", "together")
    )
    encoder = model._module.encoder
    points, empty = model.word_embeddings(tokens), model.baseline(tokens, target, "pad")
    parts = [torch.from_numpy(np.flatnonzero(tokens.segment == text)) for text in (0, 1)]

    def similarity(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        vectors = [encoder(inputs_embeds=one).last_hidden_state.mean(dim=1) for one in (first, second)]
        return torch.cosine_similarity(*vectors, dim=-1)

    theirs = Captum(similarity).attribute(
        tuple(points[part][None] for part in parts),
        tuple(empty[part][None] for part in parts),
        n_steps=24,
        method="gausslegendre",
    )
    expected = torch.cat([one[0].sum(dim=-1) for one in theirs])
    assert np.allclose(together.scores, expected.numpy(), atol=1e-4)
    texts, starts = [points[part][None] for part in parts], [empty[part][None] for part in parts]
    alone = [  # the other text stays as it is
        Captum(lambda one: similarity(one, texts[1].repeat(len(one), 1, 1))),
        Captum(lambda one: similarity(texts[0].repeat(len(one), 1, 1), one)),
    ]
    apart = torch.cat(
        [
            method.attribute(text, start, n_steps=24, method="gausslegendre")[0].sum(dim=-1)
            for method, text, start in zip(alone, texts, starts)
        ]
    )
    assert np.allclose(ours.scores, apart.numpy(), atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_works_or_says_why_not(name: str, tiny: Tiny) -> None:
    model = tiny("bert", "")
    method = METHODS[name]()
    item = default_item(model, *PAIR)
    if method.requires - model.capabilities:
        with pytest.raises(ModelError):
            method.attribute(model, *item)
        assert name in ("decompx", "deeplift")
        return
    one = method.attribute(model, *item)
    assert one.output == pytest.approx(model.value(model.predict(item[0]), item[1]), abs=1e-4)
    assert np.isfinite(one.scores).all() and one.scores.any()


def test_a_folder_says_how_rows_become_a_vector(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="")
    (folder / "1_Pooling").mkdir()
    said = folder / "1_Pooling" / "config.json"
    said.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    model = load_folder("m", folder)
    tokens, target = default_item(model, *PAIR)
    module, tokenizer = transformers.AutoModel.from_pretrained(folder).eval(), model._tokenizer
    with torch.no_grad():
        first, second = (module(**tokenizer(text, return_tensors="pt")).last_hidden_state[0, 0] for text in PAIR)
    served = float(torch.cosine_similarity(first, second, dim=0))
    assert model.value(model.predict(tokens), target) == pytest.approx(served, abs=1e-5)
    assert model.rows_read(tokens, target).tolist().count(0.5) == 2
    said.write_text(json.dumps({"pooling_mode": "cls"}))  # as its sixth version writes it
    assert load_folder("m", folder).predict(tokens).output.logits[0, 0] == pytest.approx(served, abs=1e-5)
    for other in ({"pooling_mode_max_tokens": True}, {"pooling_mode": "max"}):
        said.write_text(json.dumps(other))
        with pytest.raises(ModelError, match=r"makes its vectors by (pooling_mode_max_tokens|max)"):
            load_folder("m", folder)


def modules(*kinds: str) -> str:
    paths = [kind.replace("Transformer", "").replace("Pooling", "1_Pooling") for kind in kinds]
    return json.dumps([{"type": f"sentence_transformers.models.{kind}", "path": at} for kind, at in zip(kinds, paths)])


def test_vectors_that_go_through_more_than_a_pooling_are_refused(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="")
    (folder / "modules.json").write_text(modules("Transformer", "Pooling", "Normalize"))
    load_folder("m", folder)
    (folder / "modules.json").write_text(modules("Transformer", "Pooling", "Dense"))
    with pytest.raises(ModelError, match=r"sends its vectors through Dense \(modules.json\) after pooling them"):
        load_folder("m", folder)


def test_no_more_of_a_text_is_read_than_its_folder_says(tmp_path: Path) -> None:
    folder = tiny_folder("bert", tmp_path, head="")
    whole = load_folder("m", folder).encode(*PAIR)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 6, "do_lower_case": False}))
    model = load_folder("m", folder)
    tokens = model.encode(*PAIR)
    assert len(tokens) == 12 < len(whole) and tokens.truncated
    assert model.vectors.read(PAIR, "mean").pieces.tolist() == [6, 6] and model.vectors.longest_text == 6
    known = load_folder("m", folder).record
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 7}))
    assert load_folder("m", folder).record.settings_sha256 != known.settings_sha256  # or old vectors would be served


def test_what_can_not_be_read_apart_is_refused(tmp_path: Path, tiny: Tiny) -> None:
    with pytest.raises(ModelError, match="can't read two texts apart"):
        load_folder("m", tiny_folder("deberta-v2", tmp_path, head=""))
    model = tiny("bert", "")
    with pytest.raises(TextError, match="reads two texts, text and other text"):
        model.encode(PAIR[0])
    assert Target("", "", 0).protected == ()


def test_long_texts_have_half_of_the_length_each(tiny: Tiny) -> None:
    model = tiny("bert", "")
    tokens = model.encode("people walk " * 60, "a dog")
    assert (tokens.segment == 0).sum() == model.max_tokens // 2
    assert tokens.truncated_at[0] is not None and tokens.truncated_at[1] is None


@families
def test_what_makes_texts_alike_adds_up_with_the_reference_terms(model: EncoderModel) -> None:
    tokens, target = default_item(model, *PAIR)
    question = SimilarityAttribution()
    if "jvp" not in model.capabilities:
        assert model.name == "mpnet"
        with pytest.raises(ModelError, match="gives no vectors of texts"):
            question.run(model, ExplainedText(tokens, target))
        return
    meter = Meter()
    found = question.run(model, ExplainedText(tokens, target), meter)
    assert found.output == pytest.approx(model.value(model.predict(tokens), target), abs=1e-5)
    assert found.diagnostics["converged"] and abs(found.gap) <= found.diagnostics["tolerance"] < 2e-3
    assert found.output == pytest.approx(found.values.sum() + found.reference + found.gap)
    ways = model.baseline(tokens, target, found.diagnostics["baseline"])[None]
    for text, alone in ((0, found.right_empty), (1, found.left_empty)):  # one text emptied, the other as it is
        kept = torch.from_numpy(tokens.segment == text)[None, :, None]
        half = torch.where(kept, model.word_embeddings(tokens)[None], ways)
        assert float(model.values(tokens, target, half)[0]) == pytest.approx(alone, abs=1e-5)
    assert float(model.values(tokens, target, ways)[0]) == pytest.approx(found.both_empty, abs=1e-5)
    assert meter.spent == found.passes and meter.spent.forward + meter.spent.backward <= question.passes(
        model, ExplainedText(tokens, target)
    )


def test_what_makes_texts_alike_equals_whole_jacobians_of_two_calls(tiny: Tiny) -> None:
    """An independent twin: plain module, each text by itself, every row of the Jacobian backward, Gauss-Legendre."""
    model = tiny("bert", "")
    tokens, target = default_item(model, *PAIR)
    found = SimilarityAttribution(granularity="token", baseline="pad").run(model, ExplainedText(tokens, target))
    encoder = model._module.encoder
    points, empty = model.word_embeddings(tokens), model.baseline(tokens, target, "pad")

    def vector(embedded: torch.Tensor) -> torch.Tensor:
        rows = encoder(inputs_embeds=embedded[None]).last_hidden_state[0]
        return torch.nn.functional.normalize(rows.mean(dim=0), dim=0)

    sides = []
    for text in (0, 1):
        part = torch.from_numpy(np.flatnonzero(tokens.segment == text))
        way = points[part] - empty[part]
        jacobian = sum(
            weight * torch.autograd.functional.jacobian(vector, empty[part] + node * way)
            for node, weight in zip(*map(np.ndarray.tolist, gauss_legendre(24)))
        )
        sides.append(torch.einsum("etd,td->te", jacobian, way)[1:-1])  # special tokens stay
    assert np.allclose(found.values, (sides[0] @ sides[1].T).numpy(), atol=1e-4)
    by_word = SimilarityAttribution(granularity="word", baseline="pad").run(model, ExplainedText(tokens, target))
    place = {unit[0]: number for number, unit in enumerate(found.left)}
    numbers = [[place[token] for token in unit] for unit in by_word.left]
    merged = np.stack([found.values[rows].sum(axis=0) for rows in numbers]).sum(axis=1)
    assert np.allclose(by_word.values.sum(axis=1), merged, atol=1e-4)


def test_two_threads_compare_texts_at_once(tiny: Tiny) -> None:
    model = tiny("bert", "")
    items = [default_item(model, *pair) for pair in (PAIR, PAIR[::-1], (PAIR[0], PAIR[0]), (PAIR[1], "A dog."))]
    question = SimilarityAttribution()
    alone = [question.run(model, ExplainedText(*item)).values for item in items]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda item: question.run(model, ExplainedText(*item)).values, items * 3))
    assert all(np.array_equal(one, other) for one, other in zip(alone * 3, together))


def test_long_texts_are_compared_by_larger_parts(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny("bert", "")
    monkeypatch.setattr("explain.analyses.similarity.MOST_WORDS", 10)
    longer = SimilarityAttribution().run(model, ExplainedText(*default_item(model, "people walk, " * 3, "a dog, " * 3)))
    assert longer.granularity == "phrase" and longer.values.shape == (3, 3)
    one = SimilarityAttribution().run(model, ExplainedText(*default_item(model, "a", "dog")))
    assert one.values.shape == (1, 1) and one.values[0, 0] == pytest.approx(one.output - one.reference, abs=1e-4)


def test_a_report_holds_what_makes_texts_alike_and_replays(tiny: Tiny) -> None:
    model = tiny("bert", "")
    report = explain.explain(PAIR[0], model, text_pair=PAIR[1], methods=(), phrases=False)
    assert report.similarity is not None
    again = from_json(to_json(report))
    assert again.similarity is not None and np.allclose(again.similarity.values, report.similarity.values)
    assert replay(again, model).within(1e-6)
    best = report.similarity.strongest(1)[0]
    table = to_text(report)
    assert "what makes them alike" in table and f"{report.similarity.values[tuple(best)]:+8.3f}" in table
    assert matrix_to_csv(report.similarity).splitlines()[0] == ",Their,dog,swims,in,the,sea,far,away,."
