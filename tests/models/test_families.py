"""Every family: what we run is what transformers serves, its attention is its own, and removal moves no position."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import explain.models.families
from explain.datatypes import Target
from explain.methods.alti import Alti
from explain.methods.attention_times_gradient import AttentionTimesGradient
from explain.methods.gradient_norm import GradientNorm
from explain.methods.occlusion import Occlusion
from explain.methods.raw_attention import RawAttention
from explain.models.base import Row
from explain.models.entry_checks import checked_capabilities
from explain.models.families import FAMILIES, Family
from explain.models.network import Network
from explain.models.transformer import EncoderModel
from explain.testing import default_item
from explain.text.removal import OPERATORS, unchanged
from tests.tiny_models import FAMILY_NAMES, tiny_folder

TEXT = "The film isn't good 😀, but its unbelievably top-notch cast saves it!"
CHINESE = "这部电影非常好看。我喜欢演员的表演!"
PAIR = ("Two people walk along the beach.", "Their dog swims in the sea, unbelievably.")

families = pytest.mark.parametrize("family", FAMILY_NAMES)


def served(folder: Path, *texts: str, attention: str | None = None) -> transformers.utils.ModelOutput:
    """The plain call of transformers."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    options = {"attn_implementation": attention} if attention else {}
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, **options).eval()
    with torch.no_grad():
        return model(**tokenizer(*texts, return_tensors="pt"), output_attentions=attention == "eager")


@families
@pytest.mark.parametrize("texts", [(TEXT,), (CHINESE,), PAIR], ids=["one", "chinese", "pair"])
def test_prediction_equals_the_plain_call(
    family: str, texts: tuple[str, ...], tiny: Callable[[str], EncoderModel], tiny_folder_of: Callable[..., Path]
) -> None:
    model = tiny(family)
    tokens = model.encode(*texts)
    logits = served(tiny_folder_of(family), *texts).logits[0].numpy()
    assert np.allclose(model.observe(tokens).prediction.output.logits[0], logits, atol=2e-5)
    assert np.allclose(model.predict(tokens).output.logits[0], logits, atol=2e-5)  # the trimmed way


@families
def test_attention_is_the_models_own(
    family: str, tiny: Callable[[str], EncoderModel], tiny_folder_of: Callable[..., Path]
) -> None:
    model = tiny(family)
    maps = model.observe(model.encode(*PAIR)).maps
    attentions = served(tiny_folder_of(family), *PAIR, attention="eager").attentions
    assert maps.weights.shape == (3, 4, len(maps.tokens), len(maps.tokens))
    assert np.allclose(maps.weights, torch.cat(attentions).numpy(), atol=2e-6)
    assert np.allclose(maps.weights.sum(axis=-1), 1, atol=1e-5)


@families
def test_pairs_get_their_segments(
    family: str, tiny: Callable[[str], EncoderModel], tiny_folder_of: Callable[..., Path]
) -> None:
    tokens = tiny(family).encode(*PAIR)
    encoding = transformers.AutoTokenizer.from_pretrained(tiny_folder_of(family))(*PAIR)
    assert tokens.ids.tolist() == encoding["input_ids"]
    if "token_type_ids" in encoding:
        assert tokens.token_types.tolist() == encoding["token_type_ids"]
    own = tokens.segment[tokens.ordinary].tolist()
    assert own == sorted(own) and set(own) == {0, 1}
    for unit in tokens.word_units():
        segment, start, stop = tokens.unit_span(unit)
        assert PAIR[segment][start:stop] == tokens.unit_text(unit)


@families
@pytest.mark.parametrize("operator", OPERATORS)
def test_removal_is_what_the_model_would_read(family: str, operator: str, tiny: Callable[[str], EncoderModel]) -> None:
    """Each variant equals a plain call with the ids, positions and mask written out by hand."""
    model = tiny(family)
    tokens, target = default_item(model, TEXT)
    unit = tokens.word_units()[2]
    row = model.removed(tokens, unit, operator, target)
    module = model._module
    first = model.pad_id + 1 if FAMILIES[module.config.model_type].positions == "after_padding" else 0
    ids = tokens.ids.copy()
    inputs: dict[str, torch.Tensor] = {}
    places = np.arange(len(tokens)) + first
    if operator == "delete":
        ids, places = np.delete(ids, unit), places[: len(tokens) - len(unit)]
    elif operator in ("mask", "unk"):
        ids[list(unit)] = model.mask_id if operator == "mask" else model.unk_id
    elif operator == "attention_off":
        inputs["attention_mask"] = torch.ones(1, len(ids), dtype=torch.long)
        inputs["attention_mask"][0, list(unit)] = 0
    embedded = module.get_input_embeddings()(torch.tensor(ids.tolist()))[None].clone()
    if operator == "zero":
        embedded[0, list(unit)] = 0
    with torch.no_grad():
        logits = module(inputs_embeds=embedded, position_ids=torch.tensor(places.tolist())[None], **inputs).logits
    expected = float(model.task.scalar({"logits": logits}, target, torch.empty(1, 0), model.head)[0])
    assert model.scores([row]).values[0] == pytest.approx(expected, abs=1e-4)


@families
def test_padding_and_batching_change_nothing(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    rows = []
    for text in (TEXT, "good", CHINESE, "a b c d e f"):
        tokens, target = default_item(model, text)
        rows.append(Row(tokens, unchanged(tokens), target))
        rows += [model.removed(tokens, unit, "delete", target) for unit in tokens.word_units()]
    together = model.scores(rows)
    alone = [model.scores([row]) for row in rows]
    assert np.allclose(together.values, [one.values[0] for one in alone], atol=1e-4)
    assert together.decisions.tolist() == [one.decisions[0] for one in alone]


@families
def test_passes_of_several_texts_are_those_of_each(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    """Maps, traces and gradients are cut back to each text; scores differ by rounding alone, and count their share."""
    model = tiny(family)
    subjects = [default_item(model, text) for text in ("good", TEXT, CHINESE)]
    texts = [tokens for tokens, _ in subjects]
    for alone, together in zip(map(model.observe, texts), model.observe_each(texts), strict=True):
        assert np.allclose(together.maps.weights, alone.maps.weights, atol=1e-5)
        assert np.allclose(together.prediction.output.logits, alone.prediction.output.logits, atol=1e-4)
    predicted = model.predict_with_gradients(texts, lambda prediction: model.task.target(prediction, model.head))
    for (tokens, target), (prediction, decided, gradient) in zip(subjects, predicted, strict=True):
        assert decided == target and prediction.tokens.key == tokens.key
        points = model.word_embeddings(tokens)
        outputs, expected = model.gradients(tokens, target, points[None])
        assert torch.equal(gradient.points, points) and gradient.output == pytest.approx(float(outputs[0]), abs=1e-4)
        assert torch.allclose(gradient.gradient, expected[0], atol=1e-5 * float(expected.abs().max()))
    for method in (GradientNorm(), RawAttention(), AttentionTimesGradient(), Alti(), Occlusion()):
        if method.requires <= model.capabilities:
            for subject, together in zip(subjects, method.attribute_batch(model, subjects), strict=True):
                alone = method.attribute(model, *subject)
                assert np.allclose(together.scores, alone.scores, atol=2e-5 * max(1, np.abs(alone.scores).max()))
                assert together.passes == alone.passes


@families
def test_gradients_are_those_of_the_served_score(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    """Values from embeddings equal those from ids; a gradient predicts a small step."""
    model = tiny(family)
    tokens, target = default_item(model, TEXT)
    points = model.word_embeddings(tokens)[None]
    values, gradients = model.gradients(tokens, target, points)
    assert float(values[0]) == pytest.approx(model.value(model.predict(tokens), target), abs=1e-4)
    step = 3e-4 * gradients / gradients.norm()  # small: attention of random models can bend sharply
    both = model.values(tokens, target, torch.cat([points + step, points - step]))
    assert float(both[0] - both[1]) == pytest.approx(6e-4 * float(gradients.norm()), rel=0.05)


@families
def test_weights_are_read_in_float32_and_frozen(family: str, tmp_path: Path) -> None:
    from explain.models.loading.catalogue import load_folder

    model = load_folder(family, tiny_folder(family, tmp_path, dtype=torch.float16))
    assert {parameter.dtype for parameter in model._module.parameters()} == {torch.float32}
    assert not any(parameter.requires_grad for parameter in model._module.parameters())
    assert not model._module.training


@families
def test_long_texts_are_cut_and_said_so(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny(family)
    text = "good film " * 60
    tokens = model.encode(text)
    assert len(tokens) == model.max_tokens == 64
    place = tokens.truncated_at[0]
    assert place is not None and text[place - 1] != " " and 0 < place < len(text)
    assert model.encode("good film ").truncated_at == (None,)
    assert model.encode("good film " * 60, "a dog").truncated


def test_pairs_of_a_roberta_whose_tokenizer_lists_token_types(tmp_path: Path) -> None:
    """Some do, and give zeros; whose words they are must not follow from that."""
    from explain.models.loading.catalogue import load_folder

    folder = tiny_folder("roberta", tmp_path, type_vocab_size=2)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}))
    model = load_folder("m", folder)
    tokens = model.encode(*PAIR)
    words = [tokens.unit_text(unit) for unit in tokens.word_units()]
    assert words[:2] == ["Two", "people"] and words[-2:] == ["unbelievably", "."]
    assert np.allclose(model.predict(tokens).output.logits[0], served(folder, *PAIR).logits[0].numpy(), atol=2e-5)


def test_padding_written_by_the_user_shifts_roberta_as_in_production(
    tiny: Callable[[str], EncoderModel], tiny_folder_of: Callable[..., Path]
) -> None:
    text = "The film <pad> isn't good"
    model = tiny("roberta")
    logits = served(tiny_folder_of("roberta"), text).logits[0].numpy()
    assert np.allclose(model.predict(model.encode(text)).output.logits[0], logits, atol=2e-5)


def test_a_mask_written_by_the_user_is_not_special(tiny_bert: EncoderModel) -> None:
    tokens = tiny_bert.encode("the film is [MASK] [SEP] good")
    assert tokens.special.tolist().count(True) == 2
    assert tiny_bert.mask_id in tokens.ids[tokens.ordinary]


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "electra"])
def test_the_last_layer_is_trimmed_where_it_can_be(family: str, tiny: Callable[[str], EncoderModel]) -> None:
    assert tiny(family)._network.trimmed


def test_modernbert_reads_the_mean_of_its_rows(tiny: Callable[[str], EncoderModel]) -> None:
    model = tiny("modernbert")
    tokens, target = default_item(model, TEXT)
    assert np.allclose(model.rows_read(tokens, target), 1 / len(tokens))
    assert tiny("bert").rows_read(*default_item(tiny("bert"), TEXT))[0] == 1


def test_two_targets_in_one_batch(tiny_bert: EncoderModel) -> None:
    tokens = tiny_bert.encode(TEXT)
    labels = tiny_bert.head.labels
    targets = [Target("text_classification", label, number) for number, label in enumerate(labels)]
    together = tiny_bert.scores([Row(tokens, unchanged(tokens), target) for target in targets])
    prediction = tiny_bert.predict(tokens)
    assert np.allclose(together.values, [tiny_bert.value(prediction, target) for target in targets], atol=1e-4)
    assert len(set(together.decisions.tolist())) == 1


def test_a_family_is_a_file_of_its_name() -> None:
    folder = Path(explain.models.families.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == {model_type.replace("-", "_") for model_type in FAMILIES}


def test_no_other_file_names_a_family() -> None:
    """What a family does otherwise is said in its own file; the shared encoder of adapters is a BERT."""
    package = Path(explain.models.families.__file__).parents[1]
    for path in package.rglob("*.py"):
        if path.parent.name != "families" and path.name not in ("shared_encoder.py", "adapters.py"):
            assert not re.search(f"['\"]({'|'.join(FAMILIES)})['\"]", path.read_text()), path


def test_a_family_from_outside_is_read_like_ours(tiny: Callable[..., EncoderModel]) -> None:
    """A registered family with the same modules gives the same capabilities; one that says nothing gives fewer."""
    ours = tiny("bert")
    bare = dict(FAMILIES) | {"bert": Family()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FAMILIES, "_entries", bare)
        network = Network(ours._module, ours.task, ours.head, ours.pad_id, types_are_named=True)
        fewer = checked_capabilities("bare", network, ours.max_tokens)
    assert {"gradients", "trace", "cuts"} <= fewer.names < ours.capabilities
    assert fewer.neurons == 0 and not fewer.names & {"neurons", "post_norm", "one_row", "activations"}
    assert not network.trimmed and network.row_head is None
