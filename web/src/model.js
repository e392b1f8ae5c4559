// A loaded model: what programs that embed genrun work with.

import { ModelFileError, OptionError, shown } from "./errors.js";
import { checkDigest, readDocuments } from "./file/metadata.js";
import { StepSession } from "./file/session.js";
import { Generator } from "./generating/generator.js";
import { checkCount, resolveSettings } from "./generating/settings.js";
import { TrainingRuns } from "./originality/training-runs.js";
import { scoreText } from "./scoring.js";
import { StateTrail } from "./suggesting/state-trail.js";
import { SubwordSuggester } from "./suggesting/subword-suggester.js";
import { Suggester } from "./suggesting/suggester.js";
import { checkCasing } from "./tokenizer/detokenizer.js";
import { Tokenizer } from "./tokenizer/tokenizer.js";

const KEPT_STATES = 256;

/**
 * Open a model file: its address (a text or URL), or its bytes (Uint8Array, ArrayBuffer). In Node, a text without a
 * scheme is a path. `ort`: the module onnxruntime-web, imported if it is not given. `sessionOptions`: those of its
 * InferenceSession. `warn`: called with a message about words that are not in the vocabulary; console.warn.
 */
export async function load(source, { ort, sessionOptions, warn = (message) => console.warn(message) } = {}) {
  const bytes = await read(source);
  const documents = readDocuments(bytes);
  const digestChecked = await checkDigest(bytes);
  const tokenizer = new Tokenizer(documents.tokenizer);
  checkDefaults(documents.generation, tokenizer.size);
  const runtime = ort ?? (await importOnnxruntime());
  const session = await StepSession.open(runtime, bytes, tokenizer.size, sessionOptions);
  return new Model({ ...documents, session, tokenizer, digestChecked, warn });
}

/** A language model that generates text; made by `load`. */
export class Model {
  constructor({ session, tokenizer, generation, card, originality, digestChecked, warn }) {
    this._session = session;
    this._trainingRuns = originality === null ? null : new TrainingRuns(originality, tokenizer);
    this._warn = warn;
    this._suggester = null;
    this.tokenizer = tokenizer;
    this.defaults = generation;
    this.card = card;
    this.digestChecked = digestChecked;
  }

  /** The labels of the model with their values, as an object of lists by name. */
  get labels() {
    return this.tokenizer.labels.values;
  }

  /** Resolves to `prompt` and its continuation as one text. */
  async generate(prompt = "", choices = {}) {
    const generator = this._generator(choices);
    const encoding = this._encoded(generator, prompt);
    return (await generator.result(prompt, encoding, 0)).text;
  }

  /** Resolves to the results of `n` texts for each of the `prompts`, in their order. */
  async generateMany(prompts, choices = {}) {
    const results = [];
    for await (const result of this.generateEach(prompts, choices)) {
      results.push(result);
    }
    return results;
  }

  /** Yield the results of `generateMany` one by one; `prompts` may be any iterable, also an asynchronous one. */
  async *generateEach(prompts, choices = {}) {
    if (typeof prompts === "string") {
      throw new OptionError("prompts are a list of texts; for one text there is generate");
    }
    const generator = this._generator(choices);
    for await (const prompt of prompts) {
      const encoding = generator.encode(prompt);
      for (let sample = 0; sample < generator.samples; sample += 1) {
        yield await generator.result(prompt, encoding, sample);
      }
    }
  }

  /**
   * Yield the continuation piece by piece, and return the result; the pieces join to exactly the continuation of
   * `generate`.
   */
  async *stream(prompt = "", choices = {}) {
    const generator = this._generator(choices);
    return yield* generator.pieces(prompt, this._encoded(generator, prompt), 0);
  }

  /** Resolves to the `n` likeliest words to follow `text`, or to complete the word that it breaks off in. */
  async suggest(text, choices = {}) {
    return this.typing({ ...choices, keep: 1 }).suggest(text, choices);
  }

  /** Return a session that suggests as `suggest` does while a text is typed, at a step or so a keystroke. */
  typing({ casing = this.defaults.casing, labels = {}, keep = KEPT_STATES } = {}) {
    const { subwords } = this.tokenizer;
    this._suggester ??= new (subwords === null ? Suggester : SubwordSuggester)(this.tokenizer, this.defaults);
    const before = this.tokenizer.labels.ids(labels);
    return new TypingSession(this._suggester, new StateTrail(this._session, keep), checkCasing(casing), before);
  }

  /** Resolves to how likely `text` is as a whole document. */
  async score(text, { labels = {} } = {}) {
    return scoreText(this._session, this.tokenizer, text, labels);
  }

  /** Free the memory of the model. */
  async release() {
    await this._session.release();
  }

  _generator(choices) {
    const { _session: session, _trainingRuns: trainingRuns, tokenizer, defaults } = this;
    return new Generator({ session, tokenizer, defaults, trainingRuns }, resolveSettings(defaults, choices));
  }

  _encoded(generator, prompt) {
    const encoding = generator.encode(prompt);
    if (encoding.unknown.length > 0) {
      this._warn(`not in the model's vocabulary: ${[...new Set(encoding.unknown)].map(shown).join(", ")}`);
    }
    return encoding;
  }
}

/** Suggests words for a text that grows, shrinks and changes. `unknown`: words of the last text without an id. */
class TypingSession {
  constructor(suggester, trail, casing, before) {
    Object.assign(this, { _suggester: suggester, _trail: trail, _casing: casing, _before: before, unknown: [] });
  }

  async suggest(text, { n = 5, end = false } = {}) {
    checkCount("n", n);
    const read_ = this._suggester.read(text);
    const logits = await this._trail.logitsAfter([...this._before, ...read_.encoding.ids]);
    this.unknown = read_.encoding.unknown;
    return this._suggester.suggest(logits, read_, { n, end, casing: this._casing });
  }
}

async function read(source) {
  if (source instanceof Uint8Array) {
    return source;
  }
  if (source instanceof ArrayBuffer) {
    return new Uint8Array(source);
  }
  const inNode = typeof process !== "undefined" && process.versions?.node !== undefined;
  if (inNode && (source.protocol === "file:" || (typeof source === "string" && !/^[a-z]+:\/\//i.test(source)))) {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(source));
  }
  const response = await fetch(source);
  if (!response.ok) {
    throw new ModelFileError(`${source} cannot be fetched: ${response.status} ${response.statusText}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function importOnnxruntime() {
  const ort = await import("onnxruntime-web");
  ort.env.wasm.numThreads = 1; // a step of a small model is over before a second thread has woken up
  return ort;
}

function checkDefaults(generation, size) {
  const ids = (list) => Array.isArray(list) && list.every((id) => Number.isInteger(id) && id >= 0 && id < size);
  if (!ids(generation.stop_ids) || !ids(generation.suppressed_ids) || generation.suppressed_ids.length >= size) {
    throw new ModelFileError("genrun.generation: its 'stop_ids' and 'suppressed_ids' are ids of the vocabulary");
  }
}
