"""A fresh LoRA adapter, and a head where the task has one, on an encoder."""

from pathlib import Path
from typing import Any

import peft
import torch
from transformers import BertConfig

from explain.training.objectives.base import Objective
from explain.training.recipes.finetuning import FinetuningRecipe

LINEAR_MAPS = (
    r".*encoder\.layer\.\d+\."
    r"(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)"
)
ONE_MAP = r".*encoder\.layer\.0\.attention\.self\.query"


def adapted_model(recipe: FinetuningRecipe, base: Path, objective: Objective[Any]) -> peft.PeftModel:
    """Return the encoder with a fresh head and a fresh adapter.

    Args:
        recipe: completed, so that dropout, rank and alpha are set. Rank 0 trains the head alone.
    """
    config = BertConfig.from_pretrained(base, local_files_only=True)
    assert recipe.dropout is not None and recipe.rank is not None and recipe.alpha is not None
    for name, setting in objective.settings().items():
        setattr(config, name, setting)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = recipe.dropout
    model = objective.architecture.from_pretrained(
        base, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True, **objective.loading
    )
    lora = peft.LoraConfig(
        task_type=objective.kind,
        r=recipe.rank or 1,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=LINEAR_MAPS if recipe.rank else ONE_MAP,
        modules_to_save=list(objective.trained_whole) or None,
        base_model_name_or_path=base.name,
    )
    adapted = peft.get_peft_model(model, lora)
    if recipe.rank:
        objective.begin(adapted)
    else:  # peft allows no rank of 0; an adapter of rank 1 that stays zero is the same
        for name, parameter in adapted.named_parameters():
            if ".lora_" in name:
                parameter.requires_grad_(False)
    return adapted


def trained_sizes(model: peft.PeftModel) -> dict[str, int]:
    """Return how many numbers are trained, and how many of them belong to the pooling."""
    trained = {name: tensor.numel() for name, tensor in model.named_parameters() if tensor.requires_grad}
    pooling = sum(size for name, size in trained.items() if ".lstm." in name)
    return {"trained_parameters": sum(trained.values()), "pooling_parameters": pooling}
