"""Entities, answers and next sentence, every family: what is explained is the plain head's, along every way in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from captum.attr import LayerIntegratedGradients

from explain.core.errors import TextError
from explain.datatypes import Target, Tokens
from explain.methods.base import METHODS
from explain.methods.integrated_gradients import IntegratedGradients
from explain.models.base import Row
from explain.models.transformer import EncoderModel
from explain.testing import check_task, default_item
from explain.text.removal import unchanged
from explain.text.units import word_start
from explain.views.base import VIEWS
from tests.tiny_models import FAMILY_NAMES

TEXT = "Two people walk along the beach, unbelievably."
PAIR = ("Who walks there?", "Two people walk along the beach. Their dog swims in the sea, unbelievably.")
HEADS = {"ForTokenClassification": (TEXT,), "ForQuestionAnswering": PAIR}
KINDS = [*((family, head) for family in FAMILY_NAMES for head in HEADS), ("bert", "ForNextSentencePrediction")]
kinds = pytest.mark.parametrize(("family", "head"), KINDS)
Tiny = Callable[..., EncoderModel]


def plain(folder: Path, head: str, texts: tuple[str, ...]) -> np.ndarray:
    """The plain call of transformers: (T, C), start and end as two columns; or (1, C)."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    module = getattr(transformers, f"AutoModel{head}").from_pretrained(folder).eval()
    with torch.no_grad():
        output = module(**tokenizer(*texts, return_tensors="pt"))
    if head == "ForQuestionAnswering":
        return torch.stack([output.start_logits[0], output.end_logits[0]], dim=-1).numpy()
    return output.logits.numpy() if head == "ForNextSentencePrediction" else output.logits[0].numpy()


def texts_of(head: str) -> tuple[str, ...]:
    return HEADS.get(head, PAIR)


@pytest.mark.parametrize(
    ("family", "text", "heads"),
    [
        # A line break and a second space are tokens of their own; before a character that is bytes, the space is not.
        ("roberta", "Two  people\n\nwalk \t along the 电影 b", ["Tw", "Ġp", "w", "Ġa", "Ġthe", "Ġ", "Ġb"]),
        ("roberta", " \nTwo people", ["Tw", "Ġp"]),
        ("xlm-roberta", "Two  people 电影", ["▁T", "▁p", "▁", "影"]),
        ("bert", "Two  people\nwalk", ["t", "peop", "walk"]),
    ],
)
def test_a_words_label_is_read_at_its_own_first_piece(family: str, text: str, heads: list[str], tiny: Tiny) -> None:
    model = tiny(family, "ForTokenClassification")
    tokens = model.encode(text)
    positions = model.task.positions(tokens, model.head)
    assert [tokens.pieces[place] for place in positions] == heads
    prediction = model.predict(tokens)
    for position in positions:
        target = model.task.target(prediction, model.head, position=position)
        assert position in target.protected and set(tokens.word_around(position)) <= set(target.protected)
    assert [unit["position"] for unit in VIEWS["predicted_spans"].data(prediction)["texts"][0]["units"]] == [*positions]
    assert word_start(tokens, tokens.unit_text(tokens.word_units()[1])) == positions[1]


@kinds
def test_the_explained_score_is_the_served_one(
    family: str, head: str, tiny: Tiny, tiny_folder_of: Callable[..., Path]
) -> None:
    model, texts = tiny(family, head), texts_of(head)
    tokens, target = default_item(model, *texts)
    expected = torch.tensor(plain(tiny_folder_of(family, head), head, texts)).double()
    if head == "ForTokenClassification":
        row = expected[target.positions[0]]
        served = row[target.index] - torch.cat([row[: target.index], row[target.index + 1 :]]).logsumexp(0)
    elif head == "ForQuestionAnswering":
        inside = [place for place in range(len(tokens)) if tokens.segment[place] == 1 and not tokens.special[place]]
        log = expected[inside].log_softmax(dim=0)
        first, last = (inside.index(position) for position in target.positions)
        served = log[first, 0] + log[last, 1]
    else:
        served = expected[0, target.index] - expected[0, 1 - target.index]
    assert model.value(model.predict(tokens), target) == pytest.approx(float(served), abs=1e-4)
    assert model.value(model.observe(tokens).prediction, target) == pytest.approx(float(served), abs=1e-4)
    assert model.scores([Row(tokens, unchanged(tokens), target)]).values[0] == pytest.approx(float(served), abs=1e-4)
    points = model.word_embeddings(tokens)[None]
    assert float(model.values(tokens, target, points)[0]) == pytest.approx(float(served), abs=1e-4)


@kinds
def test_tasks_keep_their_promises(family: str, head: str, tiny: Tiny) -> None:
    model = tiny(family, head)
    check_task(model.task, model)
    for offer in ("head_on_states", "post_norm") if family in ("bert", "roberta", "distilbert", "electra") else ():
        assert offer in model.capabilities
    assert ("one_row" in model.capabilities) <= model.task.one_row


@kinds
def test_deleting_words_is_what_the_model_would_read(family: str, head: str, tiny: Tiny) -> None:
    """A deleted word's text read anew: the same ids (the word is one that no other token hangs on), the same score."""
    model, texts = tiny(family, head), texts_of(head)
    tokens, target = default_item(model, *texts)
    word = next(unit for unit in tokens.word_units() if not set(unit) & set(target.protected))
    row = model.removed(tokens, word, "delete", target)
    ids = np.delete(tokens.ids, word)
    rest = [place for place in range(len(tokens)) if place not in word]
    again = Tokens(
        text=tokens.text,
        text_pair=tokens.text_pair,
        ids=ids,
        pieces=tuple(tokens.pieces[place] for place in rest),
        spans=tokens.spans[rest],
        segment=tokens.segment[rest],
        special=tokens.special[rest],
        words=np.array([[place, place + 1] for place in range(len(rest)) if not tokens.special[rest[place]]]),
        token_types=None if tokens.token_types is None else tokens.token_types[rest],
        truncated_at=tokens.truncated_at,
    )
    moved = tuple(rest.index(position) for position in target.positions)
    expected = model.scores(
        [Row(again, unchanged(again), Target(**vars(target) | {"positions": moved, "protected": moved}))]
    )
    assert model.scores([row]).values[0] == pytest.approx(expected.values[0], abs=1e-4)


@pytest.mark.parametrize("head", [*HEADS, "ForNextSentencePrediction"])
def test_integrated_gradients_equal_captums(head: str, tiny: Tiny) -> None:
    model = tiny("bert", head)
    tokens, target = default_item(model, *texts_of(head))
    ours = IntegratedGradients(steps=32, baseline="pad").attribute(model, tokens, target)
    module = model._module
    held = {*target.protected, *np.flatnonzero(tokens.special).tolist()}
    ids = torch.tensor(tokens.ids.tolist())[None]
    baseline = torch.tensor([[id if place in held else model.pad_id for place, id in enumerate(tokens.ids.tolist())]])
    types = torch.tensor(tokens.token_types.tolist())[None]

    def forward(ids: torch.Tensor) -> torch.Tensor:
        output = module(input_ids=ids, token_type_ids=types.expand(len(ids), -1))
        if head == "ForQuestionAnswering":
            inside = torch.tensor(model.task.positions(tokens, model.head))
            first, last = (inside.tolist().index(position) for position in target.positions)
            start, end = (logits[:, inside].log_softmax(-1) for logits in (output.start_logits, output.end_logits))
            return start[:, first] + end[:, last]
        logits = output.logits if head == "ForNextSentencePrediction" else output.logits[:, target.positions[0]]
        others = [column for column in range(logits.shape[1]) if column != target.index]
        return logits[:, target.index] - logits[:, others].logsumexp(-1)

    theirs = LayerIntegratedGradients(forward, module.bert.embeddings.word_embeddings).attribute(
        ids, baseline, n_steps=32, method="gausslegendre"
    )
    assert np.allclose(ours.scores, theirs[0].sum(-1).detach().numpy(), atol=2e-4)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("head", [*HEADS, "ForNextSentencePrediction"])
def test_every_method_works(name: str, head: str, tiny: Tiny) -> None:
    model = tiny("bert", head)
    method = METHODS[name]()
    if head == "ForQuestionAnswering" and "one_row" in method.requires:
        return  # said to whoever asks, see `CAPABILITIES`
    tokens, target = default_item(model, *texts_of(head))
    one = method.attribute(model, tokens, target)
    assert one.output == pytest.approx(model.value(model.predict(tokens), target), abs=1e-4)
    assert np.isfinite(one.scores).all() and one.scores.any()
    if one.signed and method.requires <= {"gradients"}:
        held = [score for unit, score in zip(one.units, one.scores.tolist()) if set(unit) <= set(target.protected)]
        assert name.startswith(("gradient", "smooth")) or not any(held)


def test_pairs_are_asked_for_and_refused(tiny: Tiny) -> None:
    with pytest.raises(TextError, match="reads two texts, question and context: give the context too"):
        tiny("bert", "ForQuestionAnswering").encode(PAIR[0])
    with pytest.raises(TextError, match="reads two texts, sentence and next sentence"):
        tiny("bert", "ForNextSentencePrediction").encode(PAIR[0])
    with pytest.raises(TextError, match=r"reads one text \(entities\): leave the second one away"):
        tiny("bert", "ForTokenClassification").encode(*PAIR)
