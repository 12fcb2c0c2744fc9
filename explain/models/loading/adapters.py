"""Adapters: a task's few own parameters laid over the shared encoder, without touching it.

A shipped task is a plain `BertForX`. Its untouched parameters are the base's tensors (the same storage); its adapted
matrices are private copies

    W + (alpha / r) B A        (LoRA: Hu et al. 2021, https://arxiv.org/abs/2106.09685, section 4.1)

so nothing is switched while models run, and two sessions on two tasks can't meet. The encoder's own masked-word head is
such a model without an adapter.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from explain.core.errors import ModelError
from explain.models.loading.folder_checks import Range, read_json, wrong_value
from explain.models.mean_classifier import BertForLSTMClassification, BertForMeanClassification
from explain.models.probe import ATTENTION
from explain.models.token_lstm import TokenLSTM

_ALPHAS, _RANKS = Range(-1e6, 1e6, whole=False), Range(1, 65_536)
_PREFIX = "base_model.model."  # what peft puts before every name
_OURS = {built.__name__: built for built in (BertForMeanClassification, BertForLSTMClassification)}

# Settings of peft's LoRA that change what is computed.
_UNUSED = (
    "use_rslora",
    "use_dora",
    "rank_pattern",
    "alpha_pattern",
    "fan_in_fan_out",
    "lora_bias",
    "layer_replication",
)


def with_adapter(base: PreTrainedModel, folder: Path, architecture: str, labels: tuple[str, ...]) -> PreTrainedModel:
    """Build the adapted model.

    Args:
        base: the encoder with its pretraining heads; stays as it is.
        folder: peft's `adapter_config.json` and `adapter_model.safetensors`.
        architecture: the class to build, of transformers or ours: "BertForSequenceClassification".
        labels: the head's labels.

    Raises:
        ModelError: a file that can't be read, or an adapter for another encoder.
    """
    settings = read_json(folder / "adapter_config.json")
    saved = _saved(folder)
    scale = _scale(folder, settings)
    _check_halves(folder, saved, int(settings["r"]))
    config = copy.deepcopy(base.config)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}
    shared = dict(base.named_parameters())
    used: set[str] = set()
    module = _assembled(base, architecture, config, lambda name: _parameter(name, shared, saved, scale, used), folder)
    if unused := sorted(name for name in saved.keys() - used if not name.startswith(f"{_PREFIX}lstm.")):
        raise ModelError(
            f"The adapter in {folder} holds {len(unused)} tensors that its encoder has no place for ({unused[0]} ...); "
            "it belongs to another one. Copy it again, or train it again."
        )
    return module


def _check_halves(folder: Path, saved: dict[str, Tensor], rank: int) -> None:
    """Check that each matrix of an adapter has both of its halves, of the rank that its settings say.

    Raises:
        ModelError: one is missing, or of another shape.
    """
    for name, tensor in saved.items():
        if ".lora_A." not in name and ".lora_B." not in name:
            continue
        other = name.replace(".lora_A.", ".lora_B.") if ".lora_A." in name else name.replace(".lora_B.", ".lora_A.")
        axis = 0 if ".lora_A." in name else 1
        if other not in saved or tensor.dim() != 2 or tensor.shape[axis] != rank:
            raise ModelError(
                f"The adapter in {folder} is broken: {name} has shape {tuple(tensor.shape)} for r={rank}, "
                f"{'with' if other in saved else 'without'} its other half. Copy it again, or train it again."
            )


def own_lstm(folder: Path, width: int) -> TokenLSTM:
    """Return the LSTM that was trained with an adapter.

    Args:
        width: of the encoder's rows.

    Raises:
        ModelError: there is none, or one for another encoder.
    """
    start = f"{_PREFIX}lstm."
    state = {
        name.removeprefix(start): tensor.float() for name, tensor in _saved(folder).items() if name.startswith(start)
    }
    lstm = TokenLSTM(width)
    try:
        lstm.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(
            f"The adapter in {folder} says that it pools with an LSTM, and holds none that fits."
        ) from error
    return lstm.eval()


def _saved(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / "adapter_model.safetensors")
    except (OSError, SafetensorError) as error:
        raise ModelError(f"The adapter in {folder} can't be read: {error}") from error


def with_own_head(base: PreTrainedModel, architecture: str) -> PreTrainedModel:
    """Return the encoder with one of its pretraining heads alone; every parameter is the base's own.

    Args:
        base: the encoder with its pretraining heads; stays as it is.
        architecture: the class of transformers to build, "BertForMaskedLM".

    Raises:
        ModelError: the encoder has no such head.
    """
    shared = dict(base.named_parameters(remove_duplicate=False))  # the decoder is tied to the embeddings
    return _assembled(base, architecture, copy.deepcopy(base.config), shared.get, Path(base.name_or_path))


def _assembled(
    base: PreTrainedModel,
    architecture: str,
    config: PretrainedConfig,
    parameter: Callable[[str], Tensor | None],
    folder: Path,
) -> PreTrainedModel:
    """Return a model of parameters by name, with the base's buffers; `folder` is named where one does not fit."""
    config._attn_implementation = ATTENTION
    alone = architecture == "BertModel"  # no head: its names lack what the encoder is called inside of others
    with torch.device("meta"):  # names and shapes only; every tensor is put in below
        built = _OURS.get(architecture) or getattr(transformers, architecture)
        module = built(config, **({"add_pooling_layer": False} if alone else {}))
    module.requires_grad_(False)  # or `load_state_dict` would turn gradients on for the base's own parameters
    state = {}
    for name, tensor in module.state_dict().items():
        own = parameter(f"bert.{name}" if alone else name)
        if own is None or own.shape != tensor.shape:
            raise ModelError(f"What is in {folder} does not fit its encoder: {name} is missing or of another shape.")
        state[name] = own
    module.load_state_dict(state, assign=True)
    for name, buffer in base.named_buffers():  # position and segment counters, kept in no file
        name = name.removeprefix("bert.") if alone else name
        owner, _, last = name.rpartition(".")
        if owner in dict(module.named_modules()):
            module.get_submodule(owner).register_buffer(last, buffer, persistent=False)
    return module.eval()


def _scale(folder: Path, settings: dict[str, Any]) -> float:
    """Return alpha / r of a plain LoRA adapter; settings with which peft would compute something else are refused."""
    unknown = [name for name in _UNUSED if settings.get(name)]
    if settings.get("peft_type", "LORA") != "LORA" or settings.get("bias", "none") != "none":
        unknown.append("peft_type" if settings.get("peft_type", "LORA") != "LORA" else "bias")
    if unknown:
        raise ModelError(f"The adapter in {folder} uses {', '.join(unknown)}, which is not supported; plain LoRA is.")
    alpha, rank = settings.get("lora_alpha"), settings.get("r")
    for key, value, bounds in (("lora_alpha", alpha, _ALPHAS), ("r", rank, _RANKS)):
        if not bounds.holds(value):
            raise wrong_value(folder.name, "adapter_config.json", key, value, str(bounds))
    return float(alpha) / int(rank)  # type: ignore[arg-type]


def _parameter(
    name: str, shared: dict[str, nn.Parameter], saved: dict[str, Tensor], scale: float, used: set[str]
) -> Tensor | None:
    """Return one tensor of the adapted model; names of the adapter's tensors that it is made of are added to `used`."""
    if _PREFIX + name in saved:  # trained whole: the head
        used.add(_PREFIX + name)
        return saved[_PREFIX + name].to(torch.float32, copy=True)  # not a view of the file
    path, _, kind = name.rpartition(".")
    for start in (path, path.removeprefix("bert.")):  # trained without a head, the encoder is not called "bert"
        halves = [f"{_PREFIX}{start}.{part}.weight" for part in ("lora_A", "lora_B")]
        if kind == "weight" and name in shared and all(half in saved for half in halves):
            used.update(halves)
            down, up = (saved[half].float() for half in halves)  # (r, D_in) and (D_out, r)
            whole = shared[name].detach()
            if (up.shape[0], down.shape[1]) != tuple(whole.shape):
                return None
            return whole + scale * (up @ down)
    return shared.get(name)
