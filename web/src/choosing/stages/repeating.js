// Stages against repetition: they know which tokens came before.

import { OptionError } from "../../errors.js";
import { f32 } from "../numbers.js";
import { checkLeast, checkNumber, number, texts, whole } from "../options.js";

/** Knows the last `window` tokens of a row, prompt included; all for 0. */
class Penalty {
  constructor({ penalty, window }, limits = {}) {
    checkNumber("penalty", penalty, limits);
    checkLeast("window", window, 0);
    Object.assign(this, { penalty: f32(penalty), window });
  }

  first(prompt) {
    return prompt.slice(-this.window); // slice(-0) is all of it
  }

  follow(state, token) {
    return [...state, token].slice(-this.window);
  }

  /** Return the candidates after `change(logit, times)` for each token that was used. */
  _changed(candidates, used, change) {
    const times = new Map();
    for (const token of used) {
      times.set(token, (times.get(token) ?? 0) + 1);
    }
    const counts = [...times.values()];
    const logits = candidates.logits.slice();
    for (const [number_, column] of candidates.pairsOf(times.keys())) {
      logits[column] = change(logits[column], counts[number_]);
    }
    return candidates.withLogits(logits);
  }
}

/** Divides the logits of the last tokens by the penalty if they are above 0; multiplies them by it if below. */
export class Repetition extends Penalty {
  static options = { penalty: number(1.1), window: whole(64) };

  constructor(options) {
    super(options, { least: 0.01 });
  }

  apply(candidates, used) {
    const { penalty } = this;
    return this._changed(candidates, used, (logit) => f32(logit < 0 ? logit * penalty : logit / penalty));
  }
}

/** Subtracts the penalty from the logits of the last tokens, however often each was used. */
export class Presence extends Penalty {
  static options = { penalty: number(0.5), window: whole(64) };

  apply(candidates, used) {
    return this._changed(candidates, used, (logit) => f32(logit - this.penalty));
  }
}

/** Subtracts the penalty from the logits of the last tokens as many times as each was used. */
export class Frequency extends Penalty {
  static options = { penalty: number(0.2), window: whole(64) };

  apply(candidates, used) {
    return this._changed(candidates, used, (logit, times) => f32(logit - f32(this.penalty * times)));
  }
}

// The matches of a row: its ids, and for places in them how many ids before the place are the end of the row as well.

function start(prompt, breakers, window) {
  return prompt.reduce((matches, token) => follow(matches, token, breakers, window), { ids: [], lengths: new Map() });
}

function follow({ ids, lengths }, token, breakers, window) {
  let found = new Map();
  if (!breakers.has(token)) {
    ids.forEach((id, place) => {
      if (id === token) {
        found.set(place + 1, (lengths.get(place) ?? 0) + 1);
      }
    });
  }
  let grown = [...ids, token];
  if (window > 0 && grown.length > window) {
    grown = grown.slice(1);
    const moved = [...found].filter(([place]) => place > 1);
    found = new Map(moved.map(([place, length]) => [place - 1, Math.min(length, place - 1)]));
  }
  return { ids: grown, lengths: found };
}

/** Leaves out each candidate that would complete a sequence of n tokens that the row has, prompt included. */
export class NoRepeatNgram {
  static options = { n: whole(3) };

  constructor({ n }) {
    checkLeast("n", n, 1);
    this.n = n;
  }

  first(prompt) {
    return start(prompt, new Set(), 0);
  }

  follow(state, token) {
    return follow(state, token, new Set(), 0);
  }

  apply(candidates, { ids, lengths }) {
    const long = [...lengths].filter(([, length]) => length >= this.n - 1);
    const banned = new Set(this.n === 1 ? ids : long.map(([place]) => ids[place]));
    return candidates.without(banned);
  }
}

const MOST = 1e30; // a penalty that no logit outweighs

/** Subtracts a penalty, which grows with the length, from the logits of tokens that would go on with a repetition. */
export class Dry {
  static options = {
    multiplier: number(0.8),
    base: number(1.75),
    allowed: whole(2),
    window: whole(1024),
    breakers: texts(["\n", ":", '"', "*"]),
  };

  constructor({ multiplier, base, allowed, window = 1024, breakers = Dry.options.breakers.value }) {
    checkNumber("multiplier", multiplier, { least: 0 });
    checkNumber("base", base, { least: 1 });
    checkLeast("allowed", allowed, 1);
    checkLeast("window", window, 0);
    if (breakers.includes("")) {
      throw new OptionError("a breaker must not be empty");
    }
    Object.assign(this, { multiplier, base, allowed, window, breakers, _breakers: new Set() });
  }

  bind(vocabulary) {
    const bound = new Dry(this);
    const found = new Set(this.breakers);
    vocabulary.words.forEach((word, id) => found.has(word) && bound._breakers.add(id));
    return bound;
  }

  first(prompt) {
    return start(prompt, this._breakers, this.window);
  }

  follow(state, token) {
    return follow(state, token, this._breakers, this.window);
  }

  apply(candidates, { ids, lengths }) {
    const longest = new Map();
    for (const [place, length] of lengths) {
      const token = ids[place];
      if (length >= this.allowed && !this._breakers.has(token)) {
        longest.set(token, Math.max(length, longest.get(token) ?? 0));
      }
    }
    if (longest.size === 0) {
      return candidates;
    }
    const penalties = [...longest.values()].map((length) => f32(this._penalty(length)));
    const logits = candidates.logits.slice();
    for (const [number_, column] of candidates.pairsOf(longest.keys())) {
      logits[column] = f32(logits[column] - penalties[number_]);
    }
    return candidates.withLogits(logits);
  }

  _penalty(length) {
    const exponent = (length - this.allowed) * Math.log(this.base);
    return Math.min(this.multiplier * Math.exp(Math.min(exponent, Math.log(MOST))), MOST);
  }
}
