// Stages that know words: how long a text is at least, which words it must not have, which ones it should.

import { OptionError } from "../../errors.js";
import { f32 } from "../numbers.js";
import { checkLeast, checkNumber, number, texts, whole } from "../options.js";

/** Leaves out the tokens that end a text while it has fewer than n new ones. */
export class MinLength {
  static options = { n: whole(5) };

  constructor({ n }) {
    checkLeast("n", n, 0);
    this.n = n;
    this._ends = [];
  }

  bind(vocabulary) {
    const bound = new MinLength(this);
    bound._ends = vocabulary.endIds;
    return bound;
  }

  first() {
    return 0;
  }

  follow(state) {
    return Math.min(state + 1, this.n);
  }

  apply(candidates, state) {
    return candidates.without(state < this.n ? this._ends : []);
  }
}

/** Knows which ids would complete one of some phrases; its state is the end of the row. */
class Phrases {
  constructor({ phrases }) {
    if (phrases.length === 0 || phrases.some((phrase) => phrase.trim() === "")) {
      throw new OptionError("phrases must be one or more words or phrases");
    }
    this.phrases = phrases;
  }

  bind(vocabulary) {
    const bound = new this.constructor(this);
    bound._encodings = this.phrases.flatMap((phrase) => vocabulary.encodings(phrase));
    bound._longest = Math.max(1, ...bound._encodings.map((ids) => ids.length));
    return bound;
  }

  first(prompt) {
    return prompt.slice(Math.max(0, prompt.length - this._longest + 1));
  }

  follow(state, token) {
    return this._longest > 1 ? [...state, token].slice(1 - this._longest) : [];
  }

  /** Return the ids that complete a phrase after the end `state` of a row. */
  _completing(state) {
    const completes = (ids) => {
      const before = ids.slice(0, -1);
      const end = state.slice(state.length - before.length);
      return before.length <= state.length && before.every((id, at) => id === end[at]);
    };
    return new Set(this._encodings.filter(completes).map((ids) => ids.at(-1)));
  }
}

/** Leaves out words; of several words, the last one where the others have just been written. */
export class Banned extends Phrases {
  static options = { phrases: texts(undefined) };

  apply(candidates, state) {
    return candidates.without(this._completing(state));
  }
}

/** Adds a bias to the logits of words; of several words, to the last one after the others. */
export class Wanted extends Phrases {
  static options = { phrases: texts(undefined), bias: number(2) };

  constructor(options) {
    super(options);
    checkNumber("bias", options.bias);
    this.bias = f32(options.bias);
  }

  apply(candidates, state) {
    const logits = candidates.logits.slice();
    for (const column of candidates.columnsOf(this._completing(state))) {
      logits[column] = f32(logits[column] + this.bias);
    }
    return candidates.withLogits(logits);
  }
}
