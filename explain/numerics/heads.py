"""Figures that tell attention heads apart, each a mean over the attending tokens.

Entropy and the shares on special tokens, neighbors and the token itself follow Clark et al. (2019),
https://arxiv.org/abs/1906.04341; confidence, the mean of the largest weight, Voita et al. (2019),
https://arxiv.org/abs/1905.09418, section 3, there without the last token.
"""

import numpy as np
import numpy.typing as npt

# The meaning of each figure, as pages show it; all but entropy and distance are shares of attention, 0 to 1.
HEAD_FIGURES = {
    "confidence": "largest share a token gives to one token that is not special",
    "entropy": "how spread out a token's attention is, in nats: 0 for one token, log T for all alike",
    "distance": "how far away, in tokens, what a token looks at is",
    "special": "share on special tokens such as [CLS] and [SEP]",
    "itself": "share on the token itself",
    "previous": "share on the token before",
    "next": "share on the token after",
    "same_word": "share on other pieces of the same word",
}


def head_figures(
    weights: npt.NDArray[np.floating], special: npt.NDArray[np.bool_], word: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return every figure of `HEAD_FIGURES` for every head.

    Args:
        weights (L, H, T, T): attention, rows summing to 1.
        special (T,): which tokens are special. Their own rows are left out, as most heads park attention there; where
            all tokens are special, none is left out.
        word (T,): the number of each token's word, -1 outside words.

    Returns:
        By name: (L, H).

    >>> weights = np.array([[[[0.5, 0.5], [0.0, 1.0]]]])  # one head of one layer, two tokens
    >>> figures = head_figures(weights, np.array([False, False]), np.array([0, 1]))
    >>> float(figures["itself"][0, 0]), float(figures["confidence"][0, 0])
    (0.75, 0.75)
    """
    layers, heads, count, _ = weights.shape
    place = np.arange(count)
    looks = np.flatnonzero(~special) if not special.all() else place
    apart = np.abs(place[:, None] - place[None, :])
    masks = {
        "distance": apart.astype(np.float32),
        "special": np.broadcast_to(special, (count, count)),
        "itself": apart == 0,
        "previous": place[None, :] == place[:, None] - 1,
        "next": place[None, :] == place[:, None] + 1,
        "same_word": (word[:, None] == word[None, :]) & (word[:, None] >= 0) & (apart > 0),
    }
    stacked = np.stack([mask[looks].astype(np.float32) for mask in masks.values()]).reshape(len(masks), -1)
    figures = {name: np.empty((layers, heads)) for name in HEAD_FIGURES}
    # Head by head, in the same two places: a long text's maps are tens of megabytes, and fresh memory is slow.
    rows, work = np.empty((2, len(looks), count), dtype=weights.dtype)
    for layer, head in np.ndindex(layers, heads):
        np.take(weights[layer, head], looks, axis=0, out=rows, mode="clip")  # in range; "clip" needs no copy
        sums = stacked @ rows.ravel() / len(looks)
        for name, mean in zip(masks, sums):
            figures[name][layer, head] = mean
        np.log(np.maximum(rows, 1e-12, out=work), out=work)
        figures["entropy"][layer, head] = -np.vdot(rows, work) / len(looks)
        rows[:, special] = 0
        figures["confidence"][layer, head] = rows.max(axis=-1).mean()
    return figures
