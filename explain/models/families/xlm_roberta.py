"""XLM-R (Conneau et al. 2020, https://arxiv.org/abs/1911.02116): RoBERTa's modules over another vocabulary."""

from explain.models.families import FAMILIES
from explain.models.families.roberta import ROBERTA

FAMILIES.register("xlm-roberta")(ROBERTA)
