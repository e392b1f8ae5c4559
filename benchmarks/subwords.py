"""Learn subwords from files of text, and hold their encoder against the library that learns them.

    python benchmarks/subwords.py FILE... [--size 8000]

Prints how many words a second of processor time are encoded and decoded on one core. Every line must come back from
its ids, and every piece must have the ids that the library gives it with the same merges; otherwise the exit status
is 1. Needs an environment with genrun[train].
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tokenizers import models

from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.subwords.byte_letters import letters_of
from genrun_core.corpus.subwords import learn_merges


def learnt(lines: Sequence[str], size: int) -> Tokenizer:
    """Return a tokenizer of up to ``size`` subwords."""
    settings = TokenizerSettings("bpe", specials=("pad", "start", "end"), vocabulary_limit=size)
    with VocabularyBuilder(settings, learn=learn_merges) as builder:
        for line in lines:
            builder.add(line)
        return builder.build()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=8_000)
    options = parser.parse_args(arguments)
    lines = [line for path in options.files for line in path.read_text("utf-8").split("\n")]
    words = sum(len(line.split()) for line in lines)
    started = time.process_time()
    tokenizer = learnt(lines, options.size)
    print(f"{len(tokenizer):,} subwords of {words:,} words, learnt in {time.process_time() - started:.1f} s")
    started = time.process_time()
    encodings = [tokenizer.encode(line) for line in lines]
    encoded = time.process_time()
    texts = [tokenizer.decode(encoding.ids) for encoding in encodings]
    decoded = time.process_time()
    print(f"encoded: {words / (encoded - started):,.0f} words/s; decoded: {words / (decoded - encoded):,.0f} words/s")
    model = models.BPE({text: token for token, text in enumerate(tokenizer.vocabulary)}, list(tokenizer.merges))
    pieces = dict.fromkeys(piece for encoding in encodings for piece in encoding.pieces)
    library = (tuple(token.id for token in model.tokenize(letters_of(piece.encode()))) for piece in pieces)
    same = sum(tokenizer.encode_pieces([piece]).ids == ids for piece, ids in zip(pieces, library, strict=True))
    back = sum(text == line for text, line in zip(texts, lines, strict=True))
    print(f"{back:,} of {len(lines):,} lines come back; {same:,} of {len(pieces):,} pieces have the library's ids")
    return 0 if back == len(lines) and same == len(pieces) else 1


if __name__ == "__main__":
    sys.exit(main())
