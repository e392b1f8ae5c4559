"""The tutorials' way: for every word the whole padded prefix goes through ``predict``, and a loop looks it up."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from generation.turns import serve

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def prepare() -> tuple[Callable[[], int], str]:
    import keras
    import numpy as np
    import tensorflow as tf

    parser = argparse.ArgumentParser()
    parser.add_argument("shape", type=int, nargs=3, metavar="VOCABULARY EMBEDDING HIDDEN")
    parser.add_argument("longest", type=int, help="tokens of the longest text: what prefixes are padded to")
    parser.add_argument("tokens", type=int)
    parser.add_argument("threads", type=int)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    vocabulary, embedding_size, hidden = arguments.shape
    model = keras.Sequential(
        [
            keras.Input((arguments.longest - 1,)),
            keras.layers.Embedding(vocabulary, embedding_size),
            keras.layers.LSTM(hidden),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(vocabulary, activation="softmax"),
        ]
    )
    word_index = {f"w{number}": number for number in range(1, vocabulary)}

    def produce() -> int:
        ids, words = [1], []
        for _ in range(arguments.tokens):
            window = keras.utils.pad_sequences([ids], maxlen=arguments.longest - 1, padding="pre")
            predicted = int(np.argmax(model.predict(window, verbose=0), axis=-1)[0])
            word = ""
            for candidate, number in word_index.items():
                if number == predicted:
                    word = candidate
                    break
            words.append(word)
            ids.append(predicted)
        return len(words)

    return produce, f"Keras {keras.__version__}, TensorFlow {tf.__version__}"


if __name__ == "__main__":
    serve(prepare, "tensorflow")
