"""A modified Kneser-Ney model written out plainly with dictionaries, and small corpora for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Gram = tuple[int, ...]

VOCABULARY = 30
START, END = 2, 3


def some_documents(count: int = 150, *, framed: bool = True, seed: int = 0) -> list[list[int]]:
    """Return documents of words 4 to 29, of which words 28 and 29 never occur, with start and end if ``framed``."""
    random = np.random.default_rng(seed)
    chances = random.dirichlet(np.full(24, 0.3), size=24)
    documents = []
    for _ in range(count):
        words = [int(random.integers(24))]
        while len(words) < 12 and random.random() < 0.85:
            words.append(int(random.choice(24, p=chances[words[-1]])))
        body = [word + 4 for word in words]
        documents.append([START, *body, END] if framed else body)
    return documents


def joined(documents: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return documents as ids and offsets."""
    ids = np.array([token for document in documents for token in document], np.int32)
    return ids, np.cumsum([0, *map(len, documents)])


@dataclass
class PlainModel:
    """What Chen & Goodman (1998) write, one n-gram at a time."""

    documents: Sequence[Sequence[int]]
    order: int
    boundary: bool
    vocabulary: int = VOCABULARY
    counts: list[Counter[Gram]] = field(init=False)

    def __post_init__(self) -> None:
        head = [self.vocabulary] if self.boundary else []
        occurrences: list[Counter[Gram]] = [Counter() for _ in range(self.order + 1)]
        first: list[Counter[Gram]] = [Counter() for _ in range(self.order + 1)]
        for document in self.documents:
            tokens = [*head, *document]
            for end in range(len(head) + 1, len(tokens)):  # of a predicted token
                for length in range(1, min(self.order, end + 1) + 1):
                    gram = tuple(tokens[end + 1 - length : end + 1])
                    occurrences[length][gram] += 1
                    first[length][gram] += length == end + 1
        self.counts = [Counter()]
        for length in range(1, self.order + 1):
            if length == self.order:
                self.counts.append(occurrences[length])
                continue
            before = Counter(gram[1:] for gram in occurrences[length + 1])
            self.counts.append(Counter({gram: before[gram] + first[length][gram] for gram in occurrences[length]}))
        self.following: dict[Gram, Counter[int]] = defaultdict(Counter)
        for counted in self.counts[1:]:
            for gram, count in counted.items():
                self.following[gram[:-1]][gram[-1]] += count

    def probability(self, token: int, before: Gram) -> float:
        """Return p(token | before), the tokens before it with the boundary, if there is one."""
        context = before[max(0, len(before) - self.order + 1) :]
        return self._interpolated(token, context)

    def _interpolated(self, token: int, context: Gram) -> float:
        lower = self._interpolated(token, context[1:]) if context else 1 / self.vocabulary
        following = self.following.get(context)
        if not following:
            return lower
        total = sum(following.values())
        off = {word: self._discount(len(context) + 1, count) for word, count in following.items()}
        share = (following[token] - off[token]) / total if token in following else 0.0
        return share + sum(off.values()) / total * lower

    def _discount(self, length: int, count: int) -> float:
        n1, n2, n3, n4 = (sum(c == i for c in self.counts[length].values()) for i in (1, 2, 3, 4))
        usual = {1: 0.5, 2: 1.0, 3: 1.5}
        kind = min(count, 3)
        ratios = {1: (n2, n1), 2: (n3, n2), 3: (n4, n3)}
        above, below = ratios[kind]
        if not n1 or not n2 or not below or not above:
            return usual[kind]
        found = kind - (kind + 1) * n1 / (n1 + 2 * n2) * above / below
        return found if 0.05 <= found < kind else usual[kind]
