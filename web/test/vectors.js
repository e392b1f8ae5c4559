// The recorded answers of the Python package (tests/support/web_vectors.py writes them), and the models they are about.

import { readFileSync } from "node:fs";
import { Model } from "../src/model.js";
import { Tokenizer } from "../src/tokenizer/tokenizer.js";

/** Return the recorded document `name`. */
export function recorded(name) {
  return JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), "utf-8"));
}

/** Return the logits after a token, Float32Array: the same numbers as in Python. */
export function logitsAfter(token, size) {
  return Float32Array.from({ length: size }, (_, id) => ((id * 7919 + token * 104729) % 1009) / 128 - 4);
}

/** Return a model whose step is this table. */
export function tableModel({ tokenizer: document, generation, originality = null }) {
  const tokenizer = new Tokenizer(document);
  const session = {
    initialStates: () => [],
    step: async (token) => ({ logits: logitsAfter(token, tokenizer.size), states: [] }),
    read: async (tokens) => ({ logits: logitsAfter(tokens.at(-1), tokenizer.size), states: [] }),
  };
  return new Model({ session, tokenizer, generation, originality, card: {}, digestChecked: false, warn: () => {} });
}
