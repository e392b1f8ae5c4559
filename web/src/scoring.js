// Scores a text: the log-probability of every token, given the tokens before it.

import { ModelFileError } from "./errors.js";
import { logNormalizer } from "./choosing/numbers.js";

/** Resolves to the score of `text` as a whole document; `labels` stand before it and are not scored. */
export async function scoreText(session, tokenizer, text, labels) {
  const { ids, unknown } = tokenizer.encodeDocument(text, labels);
  const before = tokenizer.labels.size;
  const logs = [];
  let states = session.initialStates();
  for (let at = 0; at + 1 < ids.length; at += 1) {
    const found = await session.step(ids[at], states);
    states = found.states;
    if (at >= before) {
      logs.push(found.logits[ids[at + 1]] - logNormalizer(found.logits));
    }
  }
  if (logs.some(Number.isNaN)) {
    throw new ModelFileError("the model's logits are not numbers");
  }
  const logProbability = logs.reduce((sum, log) => sum + log, 0);
  const perplexity = logs.length > 0 ? Math.exp(-logProbability / logs.length) : NaN;
  return { text, tokenLogProbabilities: logs, unknown, tokens: logs.length, logProbability, perplexity };
}
