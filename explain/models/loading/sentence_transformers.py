"""The files that sentence-transformers writes beside a model: how rows become a vector, how much of a text is read."""

from pathlib import Path

from explain.core.errors import ModelError
from explain.models.loading.folder_checks import Range, inside, read_json, read_json_values, wrong_value
from explain.models.pooling import Pooling

_LENGTHS = Range(3, 1_000_000, optional=True)  # both special tokens and one of the text


def pooling_of(name: str, folder: Path) -> Pooling:
    """Return the pooling that a folder names as sentence-transformers does; else the mean.

    Raises:
        ModelError: by something else than the mean or the first token, or its vectors are not what is pooled.
    """
    parts = _modules(name, folder / "modules.json")
    if further := [kind for kind in parts if kind not in ("Transformer", "Pooling", "Normalize")]:
        raise ModelError(
            f"{name} sends its vectors through {' and '.join(further)} (modules.json) after pooling them, which is not "
            "supported: its similarities would be others than those it was trained for."
        )
    path = inside(name, "modules.json", folder, parts.get("Pooling") or "1_Pooling") / "config.json"
    settings = read_json(path) if path.exists() else {"pooling_mode": "mean"}
    modes = [mode for mode, on in settings.items() if mode.startswith("pooling_mode_") and on is True]
    if isinstance(settings.get("pooling_mode"), str):  # as sentence-transformers 6 writes it
        modes = [settings["pooling_mode"]]
    known = {"mean": "mean", "cls": "first", "pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
    if len(modes) != 1 or modes[0] not in known:
        raise ModelError(
            f"{name} makes its vectors by {', '.join(modes) or 'nothing that is said'} ({path.name} in "
            f"{path.parent.name}); the mean of all tokens or the first token alone is supported."
        )
    return Pooling(known[modes[0]])


def _modules(name: str, path: Path) -> dict[str, str]:
    """Return the parts of a sentence-transformers model by their kinds, with the folder of each."""
    if not path.is_file():
        return {}
    listed = read_json_values(path)
    if not isinstance(listed, list):
        raise wrong_value(name, path.name, "the whole", listed, "a list of parts")
    parts = {}
    for number, part in enumerate(listed):
        kinds = [part.get(key) for key in ("type", "path")] if isinstance(part, dict) else []
        if len(kinds) != 2 or not all(isinstance(kind, str) for kind in kinds):
            raise wrong_value(name, path.name, f"part {number}", part, "an object with type and path")
        inside(name, path.name, path.parent, part["path"])
        parts[part["type"].rpartition(".")[2]] = part["path"]
    return parts


def longest_text(name: str, folder: Path) -> int | None:
    """Return how many pieces of a text sentence-transformers reads, where a folder says so."""
    path = folder / "sentence_bert_config.json"
    length = read_json(path).get("max_seq_length") if path.exists() else None
    if not _LENGTHS.holds(length):
        raise wrong_value(name, path.name, "max_seq_length", length, str(_LENGTHS))
    return length
