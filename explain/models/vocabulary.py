"""The words of a tokenizer's vocabulary, as readers write them.

Vocabularies mark either the pieces that join on to what stands before ("##ing": BERT) or those that follow a space
("Ġfilm": RoBERTa, "▁film": XLM-R). Here it is always the first: "film", and "##ing".
"""

import threading

from transformers import PreTrainedTokenizerBase

from explain.core.errors import TargetError
from explain.tasks.base import Vocabulary

# A fast tokenizer sets its truncation on itself at every call, and adapters share one: one at a time.
TOKENIZING = threading.Lock()
_AFTER_SPACE = ("Ġ", "▁")
_JOINED = "##"


class TokenizerVocabulary(Vocabulary):
    """The vocabulary of a fast tokenizer.

    Args:
        columns: how many the head has; some models pad their vocabulary.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, columns: int) -> None:
        masked = tokenizer.mask_token_id is not None and tokenizer.mask_token_id < columns
        self.mask, self.mask_id = (str(tokenizer.mask_token), int(tokenizer.mask_token_id)) if masked else ("", -1)
        self._tokenizer = tokenizer
        self._size = min(len(tokenizer), columns)
        special = {number for number in tokenizer.all_special_ids if number < columns}
        self.no_words = tuple(sorted(special | set(range(self._size, columns))))
        with TOKENIZING:
            pieces = tokenizer.tokenize("a a")
        self._marks = tuple(mark for mark in _AFTER_SPACE if any(piece.startswith(mark) for piece in pieces))

    def word(self, index: int) -> str:
        piece = str(self._tokenizer.convert_ids_to_tokens(index))
        if not self._marks or index in self.no_words:
            return piece
        text = self._tokenizer.convert_tokens_to_string([piece]).removeprefix(" ")
        if not text or "\ufffd" in text:  # a space alone, or a part of a character
            return piece
        return text if piece.startswith(self._marks) else _JOINED + text

    def find(self, word: str) -> int:
        with TOKENIZING:
            ids = self._tokenizer(f" {word.strip()}", add_special_tokens=False, verbose=False)["input_ids"]
        single = len(ids) == 1 and ids[0] < self._size and ids[0] not in self.no_words
        if single and self.word(ids[0]) == word:
            return int(ids[0])
        no_words = set(self.no_words)
        for index in range(self._size):  # as it is listed, though no text is cut into it: "##ing"
            if index not in no_words and self.word(index) == word:
                return index
        if single:  # as a reader writes it: in other letters, with a space around it
            return int(ids[0])
        if not ids or self._tokenizer.unk_token_id in ids:
            raise TargetError(f"{word!r} is no word that this model's vocabulary can write.")
        pieces = ", ".join(self._tokenizer.convert_ids_to_tokens(ids)[:8])
        raise TargetError(
            f"{word!r} is {len(ids)} pieces for this model ({pieces}), and one piece is what can be asked for. "
            "Ask for a word that is one."
        )
