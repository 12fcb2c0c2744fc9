"""Long texts: their beginning is read as if all of them were cut into pieces."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import AddedToken

from explain.models.loading.catalogue import load_folder
from tests.tiny_models import CORPUS, tiny_gpt2

LIMIT = 16
LONG = " ".join(CORPUS) * 3
TEXTS = {
    "words": LONG,
    "blanks": "The  film\n\n " * 400,
    "mostly blank": "  \n" * 400 + LONG + " \n" * 400,
    "invisible": "\u200b\u00ad" * 600 + " the film is good " * 100,
    "no space": "unbelievably" * 300,
    "no letters": "… ?! 🎬 " * 300,
    "without spaces": "这部电影非常好看。" * 300,
    "marks": "cafe\u0301 deja\u0300 Vu\u0323 isn't top-notch " * 60,
}


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "albert", "deberta-v2", "modernbert", "gpt2"])
def test_the_beginning_of_a_long_text_is_read_as_production_does(
    tiny_folder_of: Callable[..., Path], tmp_path: Path, family: str
) -> None:
    folder = tiny_gpt2(tmp_path) if family == "gpt2" else tiny_folder_of(family)
    encoder = replace(load_folder("m", folder)._text_encoder, max_tokens=LIMIT, longest_text=LIMIT)
    assert encoder._splits_at_spaces and len(encoder._beginning(LONG, LIMIT)) < len(LONG) / 2
    for name, text in TEXTS.items():
        served = encoder.tokenizer(text, truncation=True, max_length=LIMIT, return_offsets_mapping=True)
        tokens = encoder.windows(text, None)[0]
        assert tokens.ids.tolist() == served["input_ids"], name
        assert tokens.truncated == (len(encoder.tokenizer(text)["input_ids"]) > LIMIT), name
        vector_input = encoder.encodings([text, "The film."])[0]
        assert vector_input.ids == served["input_ids"], name
        assert [tuple(span) for span in vector_input.offsets] == served["offset_mapping"], name


def test_a_tokenizer_that_joins_words_reads_all_of_a_text(tiny_folder_of: Callable[..., Path]) -> None:
    encoder = load_folder("m", tiny_folder_of("bert"))._text_encoder
    text = "a " * 100_000
    assert len(encoder._beginning(text, LIMIT)) < 1000
    encoder.tokenizer.add_tokens([AddedToken("the film")])
    assert replace(encoder)._beginning(text, LIMIT) == text
