"""Rows per CPU second of runs beside other libraries, over the same texts, model and thread.

    python -m benchmarks.rivals --data DIR [--rows N]    DIR/dev.jsonl.gz with a column text, such as SST-2's

Ours is `explain.run` with its folder: predictions, words and scores of every row. A rival is the loop that its own
documents show: a text after another, encoded, predicted and explained. Of its settings only the number of points or
orders is ours, where it has one. Libraries take turns on parts of the texts, so that a drift of the machine's speed
concerns all of them. Passes are sequences that the model reads forward, and for gradients backward too.

Where a rival computes the same quantity, its scores are compared with ours first: the largest difference of any word,
over the largest score of the text. Libraries that are not installed are named and left out; `pip install shap lit-nlp
inseq transformers-interpret` beside our pins, in an environment of their own, brings them.
"""

import argparse
import importlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoTokenizer, pipeline

import explain
from benchmarks.speed import plain_twin
from explain.core.installation import weights_folder
from explain.data.dataset import Dataset
from explain.datatypes import Target, Tokens
from explain.models.chunks import chunks_by_length
from explain.models.loading.catalogue import load_model
from explain.models.transformer import EncoderModel

POINTS = 32  # of integrated gradients, as ours takes by default
ORDERS = 25  # of Shapley values: captum's default
TURNS = 4
Scores = Any  # (words,) numbers, or None where another quantity is computed


@dataclass
class Bench:
    """The model as transformers loads it, and what it is asked.

    Attributes:
        read: sequences that the plain module has read, forward and backward.
        extra: what rivals keep from one text to the next.
    """

    model: EncoderModel
    plain: Any  # a module of transformers
    tokenizer: Any
    read: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, model: EncoderModel) -> "Bench":
        """Return a bench whose plain module counts what it reads."""
        bench = cls(model, plain_twin(model), AutoTokenizer.from_pretrained(weights_folder() / "base"))
        bench.plain.register_forward_hook(bench._count)
        return bench

    def _count(self, module: torch.nn.Module, inputs: Any, output: Any) -> None:
        def again(gradient: Tensor) -> None:
            self.read += len(gradient)

        self.read += len(output.logits)
        if output.logits.requires_grad:
            output.logits.register_hook(again)

    def encoded(self, text: str) -> tuple[Tokens, Target, Tensor]:
        """Encode a text with its words and predict its label by the plain module; see `log_odds`."""
        tokens = self.model.encode(text)
        ids = torch.tensor([tokens.ids.tolist()])
        with torch.inference_mode():
            index = int(self.plain(input_ids=ids).logits.argmax())
        return tokens, self.extra["target"](tokens, index), ids

    def log_odds(self, target: Target, **inputs: Tensor) -> Tensor:
        """Return what is explained, of each text of a batch."""
        logits = self.plain(**inputs).logits
        return self.model.task.scalar({"logits": logits}, target, torch.empty(len(logits), 0), self.model.head)

    def masked(self, ids: Tensor) -> Tensor:
        """Return a text of the same length that says nothing."""
        baseline = ids.clone()
        baseline[0, 1:-1] = self.tokenizer.mask_token_id
        return baseline

    def words(self, tokens: Tokens) -> Tensor:
        """Return the number of each piece's word (1, T); special tokens are together."""
        features = torch.full((1, len(tokens)), len(tokens.word_units()))
        for number, unit in enumerate(tokens.word_units()):
            features[0, list(unit)] = number
        return features


def by_word(tokens: Tokens, pieces: Tensor, summed: bool) -> list[float]:
    """Return the scores of words by those of pieces (T,): their sum, or the number they share."""
    pieces = pieces.detach()
    return [float(pieces[list(unit)].sum() if summed else pieces[unit[0]]) for unit in tokens.word_units()]


def captum_input(bench: Bench, text: str) -> Scores:
    from captum.attr import LayerGradientXActivation

    tokens, target, ids = bench.encoded(text)
    forward = partial(_of_ids, bench, target)
    scores = LayerGradientXActivation(forward, bench.plain.get_input_embeddings()).attribute(ids)
    return by_word(tokens, scores[0].sum(-1), summed=True)


def captum_integrated(bench: Bench, text: str) -> Scores:
    from captum.attr import LayerIntegratedGradients

    tokens, target, ids = bench.encoded(text)
    method = LayerIntegratedGradients(partial(_of_ids, bench, target), bench.plain.get_input_embeddings())
    scores = method.attribute(ids, baselines=bench.masked(ids), n_steps=POINTS)
    return by_word(tokens, scores[0].sum(-1), summed=True)


def captum_occlusion(bench: Bench, text: str) -> Scores:
    from captum.attr import FeatureAblation

    tokens, target, ids = bench.encoded(text)
    method = FeatureAblation(partial(_of_ids, bench, target))
    scores = method.attribute(ids, baselines=bench.masked(ids), feature_mask=bench.words(tokens))
    return by_word(tokens, scores[0], summed=False)


def captum_shapley(bench: Bench, text: str) -> Scores:
    from captum.attr import ShapleyValueSampling

    tokens, target, ids = bench.encoded(text)
    method = ShapleyValueSampling(partial(_of_ids, bench, target))
    method.attribute(ids, baselines=bench.masked(ids), feature_mask=bench.words(tokens), n_samples=ORDERS)


def _of_ids(bench: Bench, target: Target, ids: Tensor) -> Tensor:
    return bench.log_odds(target, input_ids=ids)


def interpret_integrated(bench: Bench, text: str) -> Scores:
    """Another quantity: of the probability, from padding, and normalized."""
    from transformers_interpret import SequenceClassificationExplainer

    if "interpret" not in bench.extra:
        bench.extra["interpret"] = SequenceClassificationExplainer(bench.plain, bench.tokenizer)
    bench.extra["interpret"](text, n_steps=POINTS)


def shap_partition(bench: Bench, text: str) -> Scores:
    """Another quantity: Owen values over a tree of pieces; 500 passes by default."""
    import shap

    if "shap" not in bench.extra:
        piped = pipeline("text-classification", model=bench.plain, tokenizer=bench.tokenizer, top_k=None)
        bench.extra["shap"] = shap.Explainer(piped)
    bench.extra["shap"]([text], silent=True)


def lit_input(bench: Bench, text: str) -> Scores:
    """The same but normalized, so that units are lost."""
    from lit_nlp.components import gradient_maps

    gradient_maps.GradientDotInput().run([{"text": text}], _lit_model(bench), None)


def lit_integrated(bench: Bench, text: str) -> Scores:
    """Another quantity: from a zero embedding, normalized."""
    from lit_nlp.components import gradient_maps

    method = gradient_maps.IntegratedGradients(interpolation_steps=POINTS)
    method.run([{"text": text}], _lit_model(bench), None)


def _lit_model(bench: Bench) -> Any:
    if "lit" not in bench.extra:
        bench.extra["lit"] = _wrapped_for_lit(bench)
    return bench.extra["lit"]


def _wrapped_for_lit(bench: Bench) -> Any:
    """Return the plain module as a model of LIT, as its guide to PyTorch has it: up to 32 inputs at once."""
    from lit_nlp.api import model as lit_model
    from lit_nlp.api import types

    labels = [str(number) for number in range(bench.plain.config.num_labels)]
    embeddings = bench.plain.get_input_embeddings()

    class Wrapped(lit_model.BatchedModel):
        def max_minibatch_size(self) -> int:
            return 32

        def input_spec(self) -> Any:
            return {
                "text": types.TextSegment(),
                "vectors": types.TokenEmbeddings(required=False),
                "class": types.CategoryLabel(vocab=labels, required=False),
            }

        def output_spec(self) -> Any:
            return {
                "tokens": types.Tokens(parent="text"),
                "probabilities": types.MulticlassPreds(vocab=labels),
                "vectors": types.TokenEmbeddings(align="tokens"),
                "gradients": types.TokenGradients(align="tokens", grad_for="vectors", grad_target_field_key="class"),
                "class": types.CategoryLabel(vocab=labels),
            }

        def predict_minibatch(self, inputs: Sequence[dict[str, Any]]) -> Iterable[dict[str, Any]]:
            encoded = bench.tokenizer([row["text"] for row in inputs], padding=True, return_tensors="pt")
            vectors = embeddings(encoded["input_ids"])
            for number, row in enumerate(inputs):
                if row.get("vectors") is not None:
                    vectors[number, : len(row["vectors"])] = torch.as_tensor(np.asarray(row["vectors"]))
            vectors = vectors.detach().requires_grad_(True)
            mask = encoded["attention_mask"]
            logits = bench.plain(inputs_embeds=vectors, attention_mask=mask).logits
            likely = logits.argmax(dim=-1).tolist()
            classes = [int(row.get("class") or likely[number]) for number, row in enumerate(inputs)]
            explained = logits[range(len(inputs)), classes].sum()
            (gradients,) = torch.autograd.grad(explained, vectors)
            for number, length in enumerate(mask.sum(dim=1).tolist()):
                yield {
                    "tokens": bench.tokenizer.convert_ids_to_tokens(encoded["input_ids"][number, :length].tolist()),
                    "probabilities": logits[number].softmax(-1).detach().numpy(),
                    "vectors": vectors[number, :length].detach().numpy(),
                    "gradients": gradients[number, :length].numpy(),
                    "class": labels[classes[number]],
                }

    return Wrapped()


def inseq_model(bench: Bench, text: str) -> Scores:
    import inseq

    bench.plain.config.architectures = [type(bench.plain).__name__]  # as a saved model says it
    inseq.load_model(bench.plain, "integrated_gradients", tokenizer=bench.tokenizer)


def predicted_plainly(bench: Bench, texts: Sequence[str]) -> None:
    """Predict texts as plainly as transformers can: sorted, padded, 2048 positions at once."""
    encodings = [bench.tokenizer(text, truncation=True)["input_ids"] for text in texts]
    for chunk in chunks_by_length([len(ids) for ids in encodings]):
        batch = bench.tokenizer.pad({"input_ids": [encodings[number] for number in chunk]}, return_tensors="pt")
        with torch.inference_mode():
            bench.plain(**batch).logits.softmax(dim=-1)


def pipeline_prediction(bench: Bench, text: str) -> Scores:
    if "pipeline" not in bench.extra:
        bench.extra["pipeline"] = pipeline("text-classification", model=bench.plain, tokenizer=bench.tokenizer)
    bench.extra["pipeline"](text)


def lit_prediction(bench: Bench, text: str) -> Scores:
    list(_lit_model(bench).predict([{"text": text}]))


# Of each quantity: the library's package, its name, what it does with a text, and how its scores differ from ours.
Rival = tuple[str, str, Callable[[Bench, str], Scores], str]
RIVALS: dict[str, tuple[Rival, ...]] = {
    "prediction": (
        ("transformers", "pipeline", pipeline_prediction, ""),
        ("lit_nlp", "LIT, a text at a time", lit_prediction, ""),
    ),
    "decompx": (),
    "gradient_times_input": (
        ("captum", "captum LayerGradientXActivation", captum_input, ""),
        ("lit_nlp", "LIT GradientDotInput", lit_input, "the same, normalized"),
    ),
    "integrated_gradients": (
        ("captum", "captum LayerIntegratedGradients", captum_integrated, ""),
        (
            "transformers_interpret",
            "transformers-interpret",
            interpret_integrated,
            "of the probability, from padding, normalized",
        ),
        ("lit_nlp", "LIT IntegratedGradients", lit_integrated, "of the logit, from zero, normalized"),
        ("inseq", "inseq (for models that write)", inseq_model, ""),
    ),
    "occlusion": (("captum", "captum FeatureAblation", captum_occlusion, ""),),
    "shapley_values": (
        ("captum", "captum ShapleyValueSampling", captum_shapley, "the same, other orders drawn"),
        ("shap", "shap Partition (Owen values)", shap_partition, "Owen values"),
    ),
}


def main() -> None:
    """Print a table of each quantity."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--only", action="append", choices=list(RIVALS), help="a quantity; repeatable")
    options = parser.parse_args()
    torch.set_num_threads(1)
    texts = [row.text for row in Dataset.open(options.data, split="dev", most=options.rows, keep_going=True)]
    model = load_model()
    assert isinstance(model, EncoderModel)
    bench = Bench.of(model)
    prediction = bench.model.predict(bench.model.encode(texts[0]))
    labels = bench.model.head.labels
    bench.extra["target"] = lambda tokens, index: bench.model.task.target(
        prediction, bench.model.head, label=labels[index]
    )
    print(f"{bench.model.name}, {len(texts)} rows, one thread: rows per CPU second, passes a row, largest difference")
    for quantity in options.only or RIVALS:
        print_quantity(bench, texts, quantity)


def print_quantity(bench: Bench, texts: Sequence[str], quantity: str) -> None:
    """Print the line of ours and of each rival that runs."""
    methods = () if quantity == "prediction" else (quantity,)
    rows = ours(texts[:TURNS], methods)
    working: dict[str, Callable[[Sequence[str]], object]] = {"explain.run": lambda part: ours(part, methods)}
    differ: dict[str, str] = {"explain.run": ""}
    print(quantity)
    for package, name, work, note in RIVALS[quantity]:
        try:
            importlib.import_module(package)
            scores = [work(bench, text) for text in texts[:TURNS]]
        except ImportError:
            print(f"  {name:34} is not installed")
        except Exception as error:
            print(f"  {name:34} does not run: {type(error).__name__}: {' '.join(str(error).split())[:110]}")
        else:
            working[name] = partial(_each, bench, work)
            compared = scores[0] is not None
            differ[name] = f"{max(map(partial(difference, quantity), rows, scores)):.1e}" if compared else note
    if quantity == "prediction":
        working["plain transformers, sorted"] = partial(predicted_plainly, bench)
    speeds, passes = measured(bench, texts, working, quantity)
    for name in working:
        print(f"  {name:34}{speeds[name]:9.2f}{passes[name]:9.1f}   {differ.get(name, '')}".rstrip(), flush=True)


def _each(bench: Bench, work: Callable[[Bench, str], Scores], texts: Sequence[str]) -> None:
    for text in texts:
        work(bench, text)


def measured(
    bench: Bench, texts: Sequence[str], working: dict[str, Callable[[Sequence[str]], object]], quantity: str
) -> tuple[dict[str, float], dict[str, float]]:
    """Return rows per CPU second of each, the median over its turns, and passes of a row."""
    size = -(-len(texts) // TURNS)
    speeds: dict[str, list[float]] = {name: [] for name in working}
    passes = dict.fromkeys(working, 0.0)
    for start in range(0, len(texts), size):
        part = texts[start : start + size]
        for name, work in working.items():
            before, began = bench.read, time.process_time()
            made = work(part)
            speeds[name].append(len(part) / (time.process_time() - began))
            read = float(bench.read - before)
            if isinstance(made, list):
                read = float(sum(row["windows"] + (row.get(f"passes_{quantity}") or 0) for row in made))
            passes[name] += read / len(texts)
    return {name: statistics.median(of_turns) for name, of_turns in speeds.items()}, passes


def difference(quantity: str, row: dict[str, Any], scores: Sequence[float]) -> float:
    """Return the largest difference of a word's scores, over the text's largest score."""
    mine = np.asarray(row[f"scores_{quantity}"], dtype=float)
    return float(np.abs(mine - np.asarray(scores)).max() / np.abs(mine).max())


def ours(texts: Sequence[str], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Run texts into a folder that is removed, and return its rows."""
    folder = Path(tempfile.mkdtemp())
    try:
        data = Dataset.of_rows([{"text": text} for text in texts])
        return list(explain.run(data, out=folder / "RUN", methods=methods).rows())
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
