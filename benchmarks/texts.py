"""What the texts of a model are like by decoder, beside a Markov chain and beside real lines of the training corpus.

    python benchmarks/texts.py MODEL CORPUS --training CORPUS [--reader NAME] [--set KEY=VALUE]… [--count N]

Nothing is trained but the Markov chain. CORPUS are documents that MODEL was not trained on, --training is what it was
trained on. Prints a table with the measures of `genrun report`: a row for each decoder, one for markovify with states
of two words (`pip install markovify`; without it, a line says so), one for real lines of the training corpus, which
are the best that texts can be, and one for the documents themselves. Needs genrun[train,cpu].
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from typing import Any

import genrun
from genrun.contracts.options import parse_assignments
from genrun_core.corpus.reading import make_reader, read_documents
from genrun_core.recipes.sections import PluginChoice
from genrun_core.reporting.advice import MEASURES, shown
from genrun_core.reporting.model_report import texts_from_nothing
from genrun_core.reporting.report import Side, compare, sampled

DECODERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("temperature", {}),
    ("temperature", {"temperature": 0.9}),
    ("temperature", {"temperature": 0.8}),
    ("top-p", {"p": 0.95}),
    ("top-p", {"p": 0.9}),
    ("top-k", {"k": 40, "temperature": 1.0}),
    ("top-k", {"k": 40, "temperature": 0.8}),
    ("greedy", {}),
)
TRAINING = "training lines"
_TRIES = 100  # of a Markov chain for one sentence that is no copy


def markov_texts(training: Sequence[str], count: int) -> list[str] | None:
    """Return texts of markovify as its guide makes them, states of two words; None if it is not installed."""
    try:
        import markovify
    except ModuleNotFoundError:
        return None
    random.seed(0)
    chain = markovify.NewlineText("\n".join(" ".join(line.split()) for line in training), state_size=2)
    made = (chain.make_sentence(tries=_TRIES) for _ in range(100 * count))
    return [text for text, _ in zip((text for text in made if text), range(count), strict=False)]


def kinds(
    model: genrun.Model, training: Sequence[str], count: int, seed: int, notes: list[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield a name and the texts of each decoder, of the Markov chain, and of the training corpus.

    ``notes`` gets a line for each kind that is not there.
    """
    settings = model.settings(seed=seed)
    yield f"the model's own: {settings.decoder}", texts_from_nothing(model, settings, count)
    for decoder, options in DECODERS:
        try:
            settings = model.settings(decoder=decoder, seed=seed, **options)
        except genrun.UnknownPluginError as error:
            notes.append(f"{decoder} is left out: {error}")
            continue
        yield str(settings.decoder), texts_from_nothing(model, settings, count)
    if markov := markov_texts(training, count):
        yield "markovify, states of 2 words", markov
    else:
        notes.append("markovify is left out: it is not installed (pip install markovify), or it made no text")
    yield TRAINING, sampled(training, count)


def row(name: str, auc: float | None, side: Side, *, copies: bool = True) -> str:
    """Return a line of the table; ``copies``: whether what is copied from the training corpus says anything."""
    figures = side.to_json()
    if not copies:
        figures |= {"training_lines": None, "copied_run": None}
    cells = [name, shown(auc, "ratio"), *(shown(figures[measure], kind) for measure, _, kind in MEASURES)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("corpus", nargs="+")
    parser.add_argument("--training", required=True, action="append")
    parser.add_argument("--reader", default="text")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the reader")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    reader = make_reader(PluginChoice(arguments.reader, parse_assignments(arguments.set)))
    documents = sampled(read_documents(reader, arguments.corpus), arguments.count)
    training = list(read_documents(reader, arguments.training))
    model = genrun.load(arguments.model)
    print(
        f"{len(documents):,} documents, {len(training):,} of training, {arguments.count:,} texts, on {model.device}"
    )
    print("| texts | AUC |", " | ".join(words for _, words, _ in MEASURES), "|")
    print("|---" * (len(MEASURES) + 2) + "|", flush=True)
    notes: list[str] = []
    for name, texts in kinds(model, training, arguments.count, arguments.seed, notes):
        report = compare(texts, documents, training)
        print(row(name, report.auc, report.texts, copies=name != TRAINING), flush=True)
    print(row("the documents", None, report.documents))
    print(*notes, sep="\n")


if __name__ == "__main__":
    main()
