"""The encoder of each kind of tokenizer: from pieces to ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from genrun.errors import OptionError
from genrun.tokenizer.line_breaks import LINE_BREAK, LineEndEncoder
from genrun.tokenizer.words.encoder import Encoder, WordEncoder
from genrun.tokenizer.words.written_forms import WrittenForms

if TYPE_CHECKING:
    from genrun.tokenizer.subwords.encoder import Merge

__all__ = ["encoder_for"]


def encoder_for(
    kind: str,
    vocabulary: Sequence[str],
    special_ids: Mapping[str, int],
    words: dict[str, int],
    *,
    written: WrittenForms,
    merges: Iterable[Merge],
    end_text: str,
) -> Encoder:
    """Return what encodes the pieces of one ``kind``; raises OptionError if the arguments do not fit together.

    ``vocabulary``: special tokens and text, without labels; ``words``: the ids of what a text may have.
    """
    encoder: Encoder
    if kind == "bpe":
        if written.forms or written.others:
            raise OptionError("subwords have no written forms")
        from genrun.tokenizer.subwords.encoder import SubwordEncoder

        encoder = SubwordEncoder(vocabulary, len(special_ids), merges)
    elif merges:
        raise OptionError(f"a tokenizer of the kind {kind!r} has no merges")
    else:
        encoder = WordEncoder(words, special_ids.get("unk"))
    if end_text == LINE_BREAK and LINE_BREAK not in words:
        names = [name for name in ("end", "start") if name in special_ids]  # as in a running text
        return LineEndEncoder(encoder, tuple([special_ids[name] for name in names]))
    return encoder
