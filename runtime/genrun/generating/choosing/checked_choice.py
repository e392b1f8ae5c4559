"""What a decoder chooses, held to its contract: a wrong decoder is an error rather than a wrong text."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from genrun.checks.plugin_errors import blame
from genrun.checks.short_text import class_name, shown
from genrun.contracts import Decoder
from genrun.errors import PluginError
from genrun.generating.choosing.binding import chosen
from genrun.generating.choosing.tokens import Tokens
from genrun.registry import title

__all__ = ["broken", "checked_choice", "checked_ids", "forbidden"]


def checked_choice(
    decoder: Decoder,
    logits: NDArray[np.float32],
    texts: Sequence[Tokens],
    draws: NDArray[np.float32],
    never: Set[int],
) -> list[int]:
    """Return the id that ``decoder`` chooses for each of ``texts``.

    ``logits``: float32 ``[batch, vocabulary]``, as they are handed to the decoder; ``draws``: float32 ``[batch]``;
    ``never``: ids whose logits are minus infinity. Raises PluginError for a decoder that breaks its contract.
    """
    try:
        answer: object = chosen(decoder, logits, texts, draws)
    except BaseException as error:  # the decoder may be anyone's
        blame(f"{title('decoder', decoder)} failed", error)
    ids, wrong = checked_ids(answer, logits.shape)
    if wrong:
        raise broken(decoder, wrong)
    if not never.isdisjoint(ids):
        raise forbidden(decoder)
    return ids


def checked_ids(answer: object, shape: tuple[int, ...]) -> tuple[list[int], str | None]:
    """Return the ids that a decoder answers for logits of ``shape`` ``[batch, vocabulary]``, and what is wrong.

    >>> checked_ids(np.array([2, 7]), (2, 5))[1]
    'chose the token 7, outside 0 … 4'
    """
    batch, vocabulary = shape
    # An array as it is: a subclass, such as a masked array, may answer the checks below as it likes.
    if type(answer) is not np.ndarray or answer.shape != (batch,) or answer.dtype.kind not in "iu":
        return [], f"must return {batch} token ids as an integer array, not {_shown(answer)}"
    ids: list[int] = answer.tolist()
    if min(ids) < 0 or max(ids) >= vocabulary:
        wrong = next(token for token in ids if not 0 <= token < vocabulary)
        return ids, f"chose the token {wrong}, outside 0 … {vocabulary - 1}"
    return ids, None


def forbidden(decoder: Decoder) -> PluginError:
    """Return what to raise for a decoder that chose a token that it must not choose."""
    return broken(decoder, "chose a token that must not be chosen (its logit is minus infinity)")


def broken(decoder: Decoder, how: str) -> PluginError:
    """Return what to raise for a decoder that breaks its contract, and ``how``."""
    return PluginError(f"{title('decoder', decoder)} {how}")


def _shown(answer: object) -> str:
    if type(answer) is np.ndarray:
        return f"{answer.dtype} {list(answer.shape)}"
    return class_name(answer) if isinstance(answer, np.ndarray) else shown(answer)
