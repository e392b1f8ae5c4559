"""The peer: what a user would write instead, an LSTM in PyTorch sampled token by token with carried state."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from generation.turns import serve


def prepare() -> tuple[Callable[[], int], str]:
    import torch

    parser = argparse.ArgumentParser()
    parser.add_argument("shape", type=int, nargs=4, metavar="VOCABULARY EMBEDDING HIDDEN LAYERS")
    parser.add_argument("batch", type=int)
    parser.add_argument("tokens", type=int)
    parser.add_argument("threads", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    vocabulary, embedding_size, hidden, layers = arguments.shape
    embedding = torch.nn.Embedding(vocabulary, embedding_size)
    lstm = torch.nn.LSTM(embedding_size, hidden, layers, batch_first=True)
    dense = torch.nn.Linear(hidden, vocabulary)

    @torch.inference_mode()
    def produce() -> int:
        made = 0
        token = torch.ones(arguments.batch, 1, dtype=torch.long)
        state = (
            torch.zeros(layers, arguments.batch, hidden),
            torch.zeros(layers, arguments.batch, hidden),
        )
        for _ in range(arguments.tokens):
            output, state = lstm(embedding(token), state)
            values, ids = torch.topk(dense(output[:, -1]), 40)
            choice = torch.multinomial(torch.softmax(values, -1), 1)
            token = ids.gather(-1, choice)
            made += len(token)
        return made

    return produce, f"PyTorch {torch.__version__}"


if __name__ == "__main__":
    serve(prepare, "torch")
