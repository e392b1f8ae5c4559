"""Random constraints, with a plain check of what each means: for a test, and for many of them at once.

cd tests && python -m support.constraints 2000
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

import genrun
from genrun.model import Model
from genrun.tokenizer import Tokenizer
from support.alphabet import babble_table, random_drift, write_model

__all__ = ["LIMIT", "LINE_WORDS", "can_be_met", "cannot_be_met", "line_model", "named_parts"]

LIMIT = 24
LINE_WORDS = ("sea", "sky", "old", "ox", "red", "storm", "ferry", "fog", "a", "the")
Check = Callable[[str], bool]


def line_model(folder: Path) -> Model:
    """Return a model that draws words, commas, line breaks and ends at random."""
    vocabulary = ["<pad>", "<start>", "<end>", "\n", *LINE_WORDS, ","]
    specials = ["pad", "start", "end"]
    tokenizer = Tokenizer(kind="word", vocabulary=vocabulary, specials=specials, line_breaks=True)
    path = write_model(
        folder / "lines.onnx",
        tokenizer,
        table=babble_table(len(tokenizer)),
        drift=random_drift(len(tokenizer)),
        decoder="temperature",
        max_new_tokens=LIMIT,
        suppress=("pad", "start"),
    )
    return genrun.load(path, device="cpu")


def can_be_met(chance: random.Random) -> tuple[str, Check]:
    """Return a constraint that some text of at most LIMIT tokens meets, and a check of one text.

    A text is made up first; each part is something that is true of it.
    """
    rows = [chance.choices(LINE_WORDS, k=chance.randint(1, 4)) for _ in range(chance.randint(1, 4))]
    every = [word for row in rows for word in row]
    makers = chance.sample(_MAKERS, chance.randint(1, 4))
    made = [maker(chance, rows, every) for maker in makers]
    return ",".join(text for text, _ in made), lambda text: all(check(text) for _, check in made)


def cannot_be_met(chance: random.Random) -> tuple[str, set[int]]:
    """Return a constraint that no text of LIMIT tokens meets, and the numbers of the parts that exclude it.

    Other parts, which exclude nothing, stand around them.
    """
    word, count = chance.choice(LINE_WORDS), chance.randint(2, 6)
    guilty = chance.choice(
        [
            [f"words:{LIMIT + count}"],
            [f"characters:{chance.randint(1, 3) + 200}-"],
            [f"never:{word}", f"order:{word}"],
            [f"words:{count}", f'acrostic:"{"sofa" * 2}";of=words'],
            [f"words:-{count}", f'pattern:"_{{{count + 1}}}"'],
            [f"lines:{count}", f'template:"{"_ / " * count} _"'],
            ["ends:fog", 'pattern:"_ sea"'],
            [f"characters:{count}", f"words:{count}-"],
        ]
    )
    others = chance.sample(["words:1-", 'never:"storm fog storm fog"', "lines:-20", "characters:1-"], 2)
    parts = [*others, *guilty]
    chance.shuffle(parts)
    return ",".join(parts), {parts.index(part) + 1 for part in guilty}


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text)


def _lines(text: str) -> list[list[str]]:
    return [words for line in text.split("\n") if (words := _words(line))]


def _count_words(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    low, high = max(0, len(every) - chance.randint(0, 3)), len(every) + chance.randint(0, 3)
    return f"words:{low}-{high}", lambda text: low <= len(_words(text)) <= high


def _count_characters(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    count = len("\n".join(" ".join(row) for row in rows))
    return f"characters:{count}-{count + 2}", lambda text: count <= len(text) <= count + 2


def _count_lines(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    return f"lines:{len(rows)}", lambda text: len(_lines(text)) == len(rows)


def _acrostic(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    letters = "".join(row[0][0] for row in rows)
    return f"acrostic:{letters.upper()}", lambda text: "".join(row[0][0] for row in _lines(text)) == letters


def _acrostic_of_words(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    letters = "".join(word[0] for word in every)
    return f"acrostic:{letters};of=words", lambda text: "".join(word[0] for word in _words(text)) == letters


def _order(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    some = [every[at] for at in sorted(chance.sample(range(len(every)), chance.randint(1, min(3, len(every)))))]
    pattern = re.compile(".*".join(rf"\b{word}\b" for word in some), re.DOTALL)
    return f'order:"{", ".join(some)}"', lambda text: pattern.search(text) is not None


def _never(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    phrase = next(
        (pair for _ in range(20) if (pair := chance.sample(LINE_WORDS, 2)) and pair not in _pairs(every)), None
    )
    absent = sorted(set(LINE_WORDS) - set(every))
    phrases = [*([" ".join(phrase)] if phrase else []), *absent[:1]]
    joined = ", ".join(phrases)
    return (
        f'never:"{joined}"',
        lambda text: (
            not any(re.search(r"[^a-z\n]+".join(rf"\b{word}\b" for word in each.split()), text) for each in phrases)
        ),
    )


def _pairs(every: list[str]) -> list[list[str]]:
    return [list(pair) for pair in pairwise(every)]


def _ends(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    last = sorted({row[-1] for row in rows})
    line = chance.randint(0, len(rows))
    if line:
        word = rows[line - 1][-1]
        return (
            f"ends:{word};line={line}",
            lambda text: len(_lines(text)) >= line and (_lines(text)[line - 1][-1] == word),
        )
    return f'ends:"{", ".join(last)}"', lambda text: {row[-1] for row in _lines(text)} <= set(last)


def _template(chance: random.Random, rows: list[list[str]], every: list[str]) -> tuple[str, Check]:
    gaps = [[chance.choice([word, word, "_"]) for word in row] for row in rows]
    text = " / ".join(" ".join([*row, "..."]) for row in gaps)
    pattern = "\n".join(" ".join([*row]).replace("_", "[a-z]+") + r"(?: [a-z]+)*" for row in gaps)
    return (
        f'template:"{text}"',
        lambda found: re.fullmatch(pattern, "\n".join(" ".join(row) for row in _lines(found))) is not None,
    )


_MAKERS = (
    _count_words,
    _count_characters,
    _count_lines,
    _acrostic,
    _acrostic_of_words,
    _order,
    _never,
    _ends,
    _template,
)


def _campaign(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model, failures = line_model(Path(folder)), 0
        for number in range(count):
            text, check = can_be_met(random.Random(number))
            [result] = model.generate_many([""], constraint=text, particles=8, seed=number)
            if not check(result.text):
                failures += 1
                print(f"{number}: {text} is not met by {result.text!r}")
        print(f"{count:,} constraints that can be met: {failures} texts do not meet theirs")
        wrong = 0
        for number in range(count // 4):
            text, guilty = cannot_be_met(random.Random(number))
            named = named_parts(model, text)
            if named != guilty:
                wrong += 1
                print(f"{number}: {text}: {sorted(guilty)} is guilty, {sorted(named)} is named")
        print(f"{count // 4:,} that cannot: {wrong} errors name other parts")


def named_parts(model: Model, constraint: str) -> set[int]:
    """Return the numbers of the parts that the error about ``constraint`` names; none if there is no error."""
    try:
        model.generate("", constraint=constraint, seed=0)
    except genrun.OptionError as error:
        return {int(number) for number in re.findall(r"part (\d+), character", str(error))}
    return set()


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    _campaign(int(sys.argv[1]))
