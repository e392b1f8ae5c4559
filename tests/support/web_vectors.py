"""Cases for the JavaScript runtime, and the answers of this one: `cd tests && python -m support.web_vectors`.

The files are web/test/vectors/*.json. Their models are tables of logits that both languages compute by one formula.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import genrun
from genrun.errors import PromptError
from genrun.generating.choosing.binding import bound
from genrun.generating.choosing.tokens import Tokens
from genrun.generating.draws import uniform_draws
from genrun.generating.text_stream import TextStream
from genrun.loading.originality import TrainingRuns
from genrun.loading.originality.lines import lines_of
from genrun.loading.originality.steering import ends_of
from genrun.registry import make_decoder
from genrun.sampling import Chain, own_draws
from genrun.tokenizer import CASINGS, Tokenizer
from genrun.tokenizer.plain_words import folded, words_of
from genrun_core.evaluation.originality import training_runs_of
from genrun_core.runs.token_shards import TokenShards
from support.alphabet import write_model
from support.subwords import chain, subwords
from support.web_cases import STAGES, TEXTS, tokenizers

__all__ = ["FOLDER", "documents", "table"]

_SPECIALS = ("pad", "unk", "start", "end")
FOLDER = Path(__file__).resolve().parents[2] / "web" / "test" / "vectors"


def table(size: int) -> NDArray[np.float32]:
    """Return the logits after each token, float32 ``[size, size]``: numbers that JavaScript computes exactly too."""
    tokens, ids = np.arange(size)[:, None], np.arange(size)
    return (((ids * 7919 + tokens * 104729) % 1009) / 128 - 4).astype(np.float32)


def documents() -> dict[str, Any]:
    """Return the content of each file by its name."""
    return {
        "draws": _draws(),
        "characters": _characters(),
        "tokenizers": _tokenized(),
        "chains": _chains(),
        "originality": _originality(),
        "texts": _texts(),
    }


def _draws() -> dict[str, Any]:
    keys: list[tuple[int, int, list[int]]] = [
        (0, 0, []),
        (7, 0, [1, 2]),
        (2**64 - 1, 3, list(range(40))),
        (2**53 + 1, 1, [2**40]),
    ]
    draws = [
        {"seed": str(seed), "sample": sample, "ids": ids, "draws": uniform_draws(seed, sample, ids, 20).tolist()}
        for seed, sample, ids in keys
    ]
    some = uniform_draws(1, 0, [], 20)
    return {"draws": draws, "own": {"draws": some.tolist(), "xtc": own_draws(some, "xtc").tolist()}}


def _characters() -> dict[str, Any]:
    """Return what Python says of characters that no version of Unicode is going to change."""
    every = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    return {
        "spaces": "".join(character for character in every if character.isspace()),
        "titles": {character: character.title() for character in every if character.title() != character.upper()},
        "alphanumeric": "".join(character for character in every[:0x530] if character.isalnum()),
        "letters": "".join(character for character in every[:0x530] if character.isalpha()),
        "words": [[text, words_of(text)] for text in TEXTS],
        "folded": "".join(map(folded, every[:0x530])),
    }


def _tokenized() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "tokenizer": tokenizer.to_json(),
            "texts": [_of_text(tokenizer, text) for text in TEXTS],
            "decoded": _decoded(tokenizer),
        }
        for name, tokenizer in tokenizers().items()
    ]


def _of_text(tokenizer: Tokenizer, text: str) -> dict[str, Any]:
    try:
        encoding = tokenizer.encode_prompt(text)
    except PromptError:
        return {"text": text, "refused": True}
    opened = tokenizer.open_end(encoding)
    document = tokenizer.encode_document(text)
    return {
        "text": text,
        "ids": encoding.ids,
        "pieces": encoding.pieces,
        "unknown": encoding.unknown,
        "finished": opened.finished,
        "open": opened.open,
        "document": document.ids,
        "prompt": {c: TextStream.after(tokenizer, text, encoding, casing=c).prompt_text for c in CASINGS},
        "written": {casing: tokenizer.decode(document.ids, casing) for casing in CASINGS},
    }


def _decoded(tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """Return random ids with their text, in pieces; of subwords, many are no UTF-8."""
    rows = np.random.default_rng(3).integers(0, len(tokenizer), (6, 30)).tolist()
    found = []
    for number, ids in enumerate(rows):
        casing = CASINGS[number % len(CASINGS)]
        written = tokenizer.detokenizer(casing)
        pieces = [written.push(tokenizer.piece_to_join(token, casing)) for token in ids]
        found.append({"casing": casing, "ids": ids, "pieces": [*pieces, written.finish()]})
    return found


def _chains() -> dict[str, Any]:
    """Return what each chain chooses, for a small vocabulary and for one that stages pack into few columns."""
    small = tokenizers()["edges"]
    words = [*small.vocabulary, *(f"w{number}" for number in range(300 - len(small)))]
    large = Tokenizer(kind="word", vocabulary=words, specials=small.specials)
    return {
        "cases": [
            {"chain": chain, "size": len(tokenizer), "prompt": [2, 5, 6, 5, 6], "ids": _chosen(chain, tokenizer)}
            for chain in STAGES
            for tokenizer in (small, large)
        ],
        "tokenizer": large.to_json(),
    }


def _originality() -> dict[str, Any]:
    """Return hashed runs of a few documents, and what texts copy of them: half of them are such documents.

    Some tokens have several words. ``banned``: the tokens that ``max-copied`` leaves out after a text, for each n.
    ``kinds``: the same for characters and for subwords, in short.
    """
    words = ("a", "b", "c", "d", "ab-c", "b-c", "c-d-a-b-c-d", ".", "d’s", "“")
    tokenizer = Tokenizer(kind="word", vocabulary=["<pad>", "<unk>", "<start>", "<end>", *words], specials=_SPECIALS)
    runs, texts = _runs(tokenizer, 4)
    lengths = range(4, runs.lengths[-1])
    found = [
        {
            **_line(runs, text),
            "copied": runs.copied(tokenizer.encode(""), text, tokenizer.decode(text)),
            "banned": [_banned(runs, most, text[: len(text) * 3 // 4]) for most in lengths],
        }
        for text in [*texts, [1, *texts[0]]]
    ]
    characters = Tokenizer(
        kind="char", vocabulary=["<pad>", "<unk>", "<start>", "<end>", *"aß '."], specials=_SPECIALS
    )
    kinds = [_kind(characters, 4), _kind(subwords(*chain(" the", " sea", "é")), 3)]
    return {**_documents(runs), "lines": found, "kinds": kinds}


def _kind(tokenizer: Tokenizer, first: int) -> dict[str, Any]:
    runs, texts = _runs(tokenizer, first)
    return {**_documents(runs), "lines": [_line(runs, text) for text in [*texts, [1, *texts[0]]]]}


def _documents(runs: TrainingRuns) -> dict[str, Any]:
    return {"originality": json.loads(runs.document), "tokenizer": runs.tokenizer.to_json()}


def _runs(tokenizer: Tokenizer, first: int) -> tuple[TrainingRuns, list[list[int]]]:
    """Return the runs of some documents of tokens from ``first``, and the documents with their reversals."""
    numbers = np.random.default_rng(4)
    documents = [numbers.integers(first, len(tokenizer), int(numbers.integers(3, 12))).tolist() for _ in range(20)]
    ends = np.cumsum([0, *map(len, documents)])
    ids = np.concatenate([np.array(document, np.int32) for document in documents])
    found = training_runs_of(tokenizer, TokenShards(ids, ends, np.zeros(0, np.int64)))
    assert found is not None
    return found[0], [*documents, *(document[::-1] for document in documents)]


def _line(runs: TrainingRuns, text: list[int]) -> dict[str, Any]:
    lines = lines_of(runs)
    return {"ids": text, "known": lines.is_line(lines.first(text)), "written": runs.tokenizer.decode(text)}


def _banned(runs: TrainingRuns, most: int, text: Sequence[int]) -> list[int]:
    ends = ends_of(runs, most)
    _, tokens = ends.banned([ends.first([2, *text])])
    return sorted(set(tokens.tolist()))


def _chosen(chain: str, tokenizer: Tokenizer, steps: int = 14) -> list[int]:
    no_runs = json.dumps({"shortest": 5, "longest": 5, "runs": 0, "buckets": 0, "table": ""})
    decoder = bound(make_decoder(chain), tokenizer, [3], TrainingRuns(no_runs, tokenizer, ""))
    logits, prompt = table(len(tokenizer)), [2, 5, 6, 5, 6]
    ids: list[int] = []
    text = Tokens(prompt, ids)
    for draw in uniform_draws(11, 0, prompt, steps):
        row, draws = logits[[(ids or prompt)[-1]]], np.array([draw])
        row[:, [0, 1, 2]] = -np.inf
        if isinstance(decoder, Chain):
            [token], adapted = decoder.step(row, [text.array()], [text.states(decoder)], draws)
            if adapted is not None:
                text.adapt(decoder, int(token), adapted[0])
        else:
            [token] = decoder.choose(row, [text.array()], draws)
        ids.append(int(token))
    return ids


def _texts() -> list[dict[str, Any]]:
    calls: list[Mapping[str, Any]] = [
        {"seed": 7, "n": 3},
        {"seed": 2**53 - 1, "decoder": "top-k:6,temperature:0.9", "casing": "title"},
        {"seed": 3, "decoder": "greedy", "stop": ["e s", "sky"], "casing": "sentence"},
        {"seed": 5, "decoder": "quotation,no-repeat-ngram:2", "casing": "upper", "max_new_tokens": 15},
        {"seed": 6, "decoder": "top-k", "k": 3, "casing": "none"},
        {"seed": 8, "decoder": "mirostat:2", "casing": "corpus"},
    ]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, tokenizer in tokenizers().items():
            path = write_model(
                Path(folder) / f"{name}.onnx",
                tokenizer,
                table=table(len(tokenizer)),
                decoder="top-k",
                options={"k": 30, "temperature": 1.2},
                max_new_tokens=8,
                casing="corpus",
            )
            model = genrun.load(path, device="cpu")
            prompts = [text for text in TEXTS if _is_prompt(tokenizer, text)]
            found.append(
                {
                    "name": name,
                    "tokenizer": tokenizer.to_json(),
                    "generation": model.defaults.to_json(),
                    "calls": [_call(model, call, prompts[number % 2 :: 2]) for number, call in enumerate(calls)],
                    "suggestions": [_suggested(model, text, end=bool(len(text) % 2)) for text in prompts],
                    "scores": [
                        {"text": text, "log_probability": round(model.score(text).log_probability, 3)}
                        for text in prompts[:4]
                    ],
                }
            )
    return found


def _is_prompt(tokenizer: Tokenizer, text: str) -> bool:
    return "refused" not in _of_text(tokenizer, text)


def _call(model: genrun.Model, call: Mapping[str, Any], prompts: Sequence[str]) -> dict[str, Any]:
    labels = {"author": "Byron"} if model.tokenizer.labels else {}
    results = model.generate_many(prompts, **call, labels=labels)
    kept = ("prompt", "text", "continuation", "ids", "finish_reason", "unknown", "sample")
    return {
        "call": call,
        "labels": labels,
        "prompts": prompts,
        "results": [{name: getattr(result, name) for name in kept} for result in results],
    }


def _suggested(model: genrun.Model, text: str, *, end: bool) -> dict[str, Any]:
    try:
        found = model.typing().suggest(text, 4, end=end)
    except PromptError:
        return {"text": text, "refused": True}
    return {"text": text, "end": end, "found": [[each.text, each.id, each.completes] for each in found]}


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, document in documents().items():
        text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
