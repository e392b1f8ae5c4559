"""The constraint rhyme, with a dictionary of a few words: a text is possible if and only if it rhymes."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from genrun_plugin_rhyme.rhyme import Rhyme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import genrun
from genrun.registry import make_constraint
from genrun.sampling.automata import Lexicon, Opening
from genrun.tokenizer import Tokenizer

PHONES = {
    "sea": "S IY1",
    "see": "S IY1",
    "tree": "T R IY1",
    "free": "F R IY1",
    "sky": "S K AY1",
    "high": "HH AY1",
    "storm": "S T AO1 R M",
}
WORDS = (*PHONES, "zzz")
VOCABULARY = ["<end>", "\n", ",", *WORDS, "Tree"]


@pytest.fixture(autouse=True)
def dictionary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pronouncing dictionary of seven words."""
    fake = SimpleNamespace(
        phones_for_word=lambda word: [PHONES[word], "X IY1"] if word in PHONES else [],
        rhyming_part=lambda phones: phones[phones.index(next(each for each in phones.split() if "1" in each)) :],
    )
    monkeypatch.setitem(sys.modules, "pronouncing", fake)


def lexicon(*unknown: str) -> Lexicon:
    tokenizer = Tokenizer(kind="word", vocabulary=VOCABULARY, specials=["end"], line_breaks=True)
    return Lexicon(tokenizer, end_ids=(0,), unknown=unknown)


def tokens(text: str, known: Lexicon) -> tuple[int, ...]:
    return tuple(known.texts.index("\n" if each == "/" else each) for each in text.split())


def accepted(rhyme: Rhyme, text: str, prompt: str = "", *unknown: str) -> bool:
    known = lexicon(*unknown)
    opening = Opening(tokens(prompt, known), prompt, None)
    found = rhyme.automaton_after(known, opening)
    state = found.after(opening)
    for token in tokens(text, known):
        state = int(found.table[state, found.classes[token]]) if state >= 0 else -1
    return state >= 0 and bool(found.accepts[state])


def rhymes(scheme: str, text: str, *, repeat: bool = False) -> bool:
    """Return whether a text rhymes, by looking at its lines."""
    lines = [[word for word in line.lower().split() if word != ","] for line in text.split("/")]
    if not lines[-1]:
        return False
    lasts = [PHONES.get(line[-1]) for line in lines if line]
    if len(lasts) != len(scheme):
        return False
    for letter in scheme:
        ends = [last for last, each in zip(lasts, scheme, strict=True) if each == letter]
        if len(ends) == 1:
            continue
        if None in ends or len({str(end).split(" ")[-1] for end in ends}) > 1:  # one phone decides, of these words
            return False
        if not repeat and len(set(ends)) < len(ends):
            return False
    between = [(one, other) for one in scheme for other in scheme if one < other and crossed(scheme, one, other)]
    return not any(
        str(lasts[scheme.index(one)]).split(" ")[-1] == str(lasts[scheme.index(other)]).split(" ")[-1]
        for one, other in between
    )


def crossed(scheme: str, one: str, other: str) -> bool:
    """Return whether two letters are open at the same time."""
    spans = [(scheme.index(each), scheme.rindex(each)) for each in (one, other)]
    return all(first < last for first, last in spans) and max(first for first, _ in spans) < min(
        last for _, last in spans
    )


@pytest.mark.parametrize(
    ("scheme", "text", "expected"),
    [
        ("AA", "sea / tree", True),
        ("AA", "sea sky / sky , sea / tree", False),
        ("AA", "sea , / , zzz Tree ,", True),
        ("AA", "sea / sea", False),
        ("AA", "sea / see", False),
        ("AA", "tree / Tree", False),
        ("AA", "zzz / zzz", False),
        ("AA", "sea / / tree", True),
        ("AA", "sea / tree /", False),
        ("ABAB", "sea / sky / tree / high", True),
        ("ABAB", "sea / sky / tree / sky", False),
        ("ABAB", "sea / free / tree / see", False),
        ("ABCB", "zzz / sky / storm / high", True),
        ("AAA", "sea / tree / free", True),
        ("AAA", "sea / tree / sea", False),
        ("a a", "sea / tree", True),
    ],
)
def test_lines_rhyme(scheme: str, text: str, expected: bool) -> None:
    assert accepted(Rhyme(scheme), text) is expected


lines = st.lists(
    st.lists(st.sampled_from([*WORDS, ",", "sea", "tree", "sky", "high"]), max_size=2).map(" ".join),
    min_size=1,
    max_size=5,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines, st.sampled_from(["AA", "AABB", "ABAB", "ABBA", "ABCB", "AAA", "AABA"]), st.booleans(), st.data())
def test_a_text_is_possible_if_and_only_if_it_rhymes(
    given_lines: list[str], scheme: str, repeat: bool, data: st.DataObject
) -> None:
    text, rhyme = " / ".join(given_lines), Rhyme(scheme, repeat=repeat)
    expected = rhymes(scheme, text, repeat=repeat)
    assert accepted(rhyme, text) is expected
    words = text.split(" ")
    cut = data.draw(st.integers(0, len(words)))
    try:
        assert accepted(rhyme, " ".join(words[cut:]), " ".join(words[:cut])) is expected
    except genrun.PromptError:
        assert not expected


@pytest.mark.parametrize(
    ("scheme", "prompt", "message"),
    [
        ("AABB", "zzz / ", "line 1 ends with 'zzz', which rhymes with no word: the dictionary does not have it"),
        ("AABB", "sea / sky / ", "line 2 ends with 'sky', which does not rhyme with 'sea' of line 1"),
        ("ABAB", "sea / storm / ", "no word of the model rhymes with 'storm', with which line 2 ends"),
        ("ABAB", "sea / tree / ", "line 2 ends with 'tree', which rhymes with a line of another letter"),
        ("AA", "sea / tree / ", "it goes on behind the last line of 'AA'"),
    ],
)
def test_a_prompt_that_cannot_rhyme_is_an_error_that_says_why(scheme: str, prompt: str, message: str) -> None:
    with pytest.raises(genrun.PromptError, match=message):
        accepted(Rhyme(scheme), "", prompt)


def test_a_word_that_the_model_does_not_know_may_be_rhymed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PHONES, "knee", "N IY1")
    assert accepted(Rhyme("AA"), "tree", "knee / ", "knee")
    assert not accepted(Rhyme("AA"), "sky", "knee / ", "knee")


def test_fewer_sounds_leave_out_the_rarer_ones_but_not_those_of_the_prompt() -> None:
    assert not accepted(Rhyme("AA", sounds=1), "sky / high")
    assert accepted(Rhyme("AA", sounds=1), "sea / tree")
    assert accepted(Rhyme("AA", sounds=1), "high", "sky / ")
    assert accepted(Rhyme("ABAB", sounds=1), "sea / sky / tree / high", "") is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": ""}, "scheme must be 2 to 40 letters, such as AABB, not ''"),
        ({"scheme": "A1"}, "scheme must be 2 to 40 letters"),
        ({"scheme": "ABC"}, "no letter of the scheme 'ABC' occurs twice"),
        ({"scheme": "AA", "sounds": -1}, "sounds must be 0 or more"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(genrun.OptionError, match=message):
        Rhyme(**options)  # type: ignore[arg-type]


def test_a_model_without_line_breaks_is_refused() -> None:
    tokenizer = Tokenizer(kind="word", vocabulary=["<end>", *WORDS], specials=["end"])
    with pytest.raises(genrun.OptionError, match="the model writes no line breaks"):
        Rhyme("AA").automaton(Lexicon(tokenizer, end_ids=(0,)))


def test_is_found_by_name() -> None:
    assert make_constraint("rhyme:AABB;repeat=true")[0].part == Rhyme("AABB", repeat=True)


def test_the_automaton_stays_small_with_many_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    vowels = [f"{letter}{number}" for letter in "aeio" for number in range(100)]
    many = {f"w{vowel}{place}": f"{place} {vowel}1" for vowel in vowels for place in range(6)}
    monkeypatch.setattr(sys.modules["pronouncing"], "phones_for_word", lambda word: [many[word]])
    monkeypatch.setattr(sys.modules["pronouncing"], "rhyming_part", lambda phones: phones.split()[1])
    vocabulary = ["<end>", "\n", *many]
    known = Lexicon(Tokenizer(kind="word", vocabulary=vocabulary, specials=["end"], line_breaks=True), end_ids=(0,))
    for scheme in ("AABB", "ABABCDCDEFEFGG", "ABCABC"):
        found = Rhyme(scheme).automaton(known)
        sounds = len(set(found.classes.tolist())) - 3
        assert found.table.size < 2_000_000, scheme
        assert sounds >= 6, scheme
        assert np.unique(found.table).size > sounds
