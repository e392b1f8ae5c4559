// The decoding loop of one text: it is fed its prompt, then its own choices, one token a step.

import { ModelFileError, OptionError, shown } from "../errors.js";
import { highest, logNormalizer } from "../choosing/numbers.js";
import { OpenPrompt } from "./open-prompt.js";
import { Draws } from "./random/draws.js";
import { TextStream } from "./text-stream.js";

/** Generates with one model and one set of settings; keeps nothing from one text to the next. */
export class Generator {
  constructor({ session, tokenizer, defaults, trainingRuns }, settings) {
    this._session = session;
    this._trainingRuns = trainingRuns;
    this._tokenizer = tokenizer;
    this._stopIds = new Set(defaults.stop_ids);
    this._suppressed = defaults.suppressed_ids;
    this._settings = settings;
    this._chain = settings.chain.bind({
      words: tokenizer.vocabulary,
      endIds: defaults.stop_ids,
      trainingRuns,
      encodings: (phrase) => encodings(tokenizer, phrase),
    });
  }

  /** The number of texts for each prompt. */
  get samples() {
    return this._settings.n;
  }

  /** Encode a prompt; throws PromptError for one with nothing to begin from, OptionError for labels. */
  encode(prompt) {
    return this._tokenizer.encodePrompt(prompt, this._settings.labels);
  }

  /**
   * Yield the continuation of an encoded prompt piece by piece; the generator returns the result. The pieces join to
   * the continuation of the result.
   */
  async *pieces(prompt, encoding, sample) {
    const { _settings: settings, _tokenizer: tokenizer } = this;
    const draws = new Draws(settings.seed, sample, encoding.ids);
    const { finished, open } = tokenizer.openEnd(encoding);
    const opened = open.length > 0 ? new OpenPrompt(tokenizer, open) : null;
    const text = new TextStream(tokenizer, prompt, encoding, { ...settings, repeated: opened?.letters ?? 0 });
    const row = { prompt: finished, ids: [], states: this._chain.first(finished), log: 0 };
    row.fromNothing = isOnlyStart(tokenizer, encoding.ids);
    let found = await this._session.read(finished);
    let continuation = "";
    let reason = "";
    while (reason === "") {
      settings.signal?.throwIfAborted();
      const token = this._next(row, found.logits, draws, opened?.allowed() ?? null);
      opened?.push(token);
      const piece = text.push(token);
      reason = this._reason(row, token, text);
      continuation += piece;
      if (piece !== "") {
        yield piece;
      }
      if (reason === "") {
        found = await this._session.step(token, found.states);
      }
    }
    const held = text.finish();
    if (held !== "") {
      yield held;
    }
    continuation += held;
    const whole = text.promptText + continuation;
    const copied = this._trainingRuns?.copied(encoding, row.ids, whole) ?? null;
    return {
      prompt,
      text: whole,
      continuation,
      ids: row.ids,
      finishReason: reason,
      logProbability: row.log,
      unknown: encoding.unknown,
      seed: settings.seed,
      sample,
      copiedRun: copied?.run ?? null,
      isTrainingLine: copied?.isLine ?? null,
      copiedSpan: copied?.span ?? null,
    };
  }

  /** Return the result of an encoded prompt. */
  async result(prompt, encoding, sample) {
    const pieces = this.pieces(prompt, encoding, sample);
    let step = await pieces.next();
    while (!step.done) {
      step = await pieces.next();
    }
    return step.value;
  }

  /** Return the next id of a row, which is added to it. */
  _next(row, logits, draws, allowed) {
    const normalizer = logNormalizer(logits);
    if (!Number.isFinite(normalizer)) {
      throw new ModelFileError(
        "the model's logits are not numbers: the file is damaged, or its training went wrong",
      );
    }
    const among = this._without(logits, this._suppressed);
    if (allowed !== null) {
      among.forEach((logit, token) => {
        among[token] = allowed.has(token) ? logit : -Infinity;
      });
    }
    const tokens = [...row.prompt, ...row.ids];
    let chosen = this._chain.choose(among, tokens, row.states, draws.next());
    if (row.fromNothing && row.ids.length === 0 && this._stopIds.has(chosen.token)) {
      // A text from nothing does not end before its first token: it takes its next draw and chooses again.
      const others = this._without(among, this._stopIds);
      if (highest(others) > -Infinity) {
        chosen = this._chain.choose(others, tokens, row.states, draws.next());
      }
    }
    row.ids.push(chosen.token);
    row.states = chosen.states;
    row.log += Math.min(logits[chosen.token] - normalizer, 0);
    return chosen.token;
  }

  _without(logits, ids) {
    const left = logits.slice();
    for (const id of ids) {
      left[id] = -Infinity;
    }
    return left;
  }

  _reason(row, token, text) {
    if (text.stopped) {
      return "stop";
    }
    if (this._stopIds.has(token)) {
      return "end";
    }
    return row.ids.length === this._settings.maxNewTokens ? "length" : "";
  }
}

function isOnlyStart(tokenizer, ids) {
  const rest = ids.slice(tokenizer.labels.size);
  return rest.length === 1 && rest[0] === tokenizer.special("start");
}

/** Return the ids of `phrase`, in each usual way to write it; of subwords, at the beginning and after a space. */
function encodings(tokenizer, phrase) {
  const ways = tokenizer.kind === "bpe" ? [phrase, ` ${phrase}`] : [phrase];
  const found = new Map();
  for (const way of ways) {
    const { ids, unknown } = tokenizer.encode(way);
    if (unknown.length > 0 || ids.length === 0) {
      throw new OptionError(`${shown(unknown[0] ?? phrase)} is not in the model's vocabulary`);
    }
    found.set(ids.join(), ids);
  }
  return [...found.values()];
}
