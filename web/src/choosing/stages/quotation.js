// The stage `quotation`: quotation marks that are opened are closed before the text ends.

import { JOINER, withoutJoiners } from "../../tokenizer/marks.js";
import { f32 } from "../numbers.js";

const STRAIGHT = 1; // the kinds of quotation marks, as bits of a state
const CURLY = 2;
const NONE = -1; // no token
const LN2 = f32(Math.LN2);

/** Gives the probability of the end to the mark that closes, while a mark is open, and leaves out wrong marks. */
export class Quotation {
  static options = {};

  bind(vocabulary) {
    return new BoundQuotation(vocabulary);
  }
}

class BoundQuotation {
  constructor({ words, endIds }) {
    const kinds = words.some((word) => word.includes("„")) ? STRAIGHT : STRAIGHT | CURLY;
    this._endIds = endIds;
    this._by = { opens: new Map(), closes: new Map(), turns: new Map() };
    words.forEach((word, token) => {
      for (const [kind, change] of changes(word)) {
        if (kind & kinds) {
          const by = this._by[change];
          by.set(token, (by.get(token) ?? 0) | kind);
        }
      }
    });
    this._forbidden = [0, 1, 2, 3].map((state) => this._wrong(state));
    this._closers = [0, 1, 2, 3].map((state) => this._closer(state));
  }

  first(prompt) {
    return prompt.reduce((state, token) => this.follow(state, token), 0);
  }

  follow(state, token) {
    const { opens, closes, turns } = this._by;
    return ((state | (opens.get(token) ?? 0)) & ~(closes.get(token) ?? 0)) ^ (turns.get(token) ?? 0);
  }

  apply(candidates, state) {
    let left = candidates;
    const columnOf = (token) => (candidates.ids === null ? token : candidates.ids.indexOf(token));
    const closer = this._closers[state] === NONE ? NONE : columnOf(this._closers[state]);
    if (closer !== NONE) {
      const logits = candidates.logits.slice();
      for (const end of this._endIds.map(columnOf).filter((column) => column !== NONE)) {
        if (logits[closer] > -Infinity) {
          logits[closer] = logAddExp(logits[closer], candidates.logits[end]);
        }
      }
      left = candidates.withLogits(logits);
    }
    return left.without(this._forbidden[state]);
  }

  _wrong(state) {
    const wrong = [...this._by.opens].filter(([, kind]) => kind & state);
    wrong.push(...[...this._by.closes].filter(([, kind]) => kind & ~state));
    return [...wrong.map(([token]) => token), ...(state ? this._endIds : [])];
  }

  _closer(state) {
    const closing = new Map([...this._by.closes, ...this._by.turns]);
    const fitting = [...closing].filter(([, kind]) => kind & state).map(([token]) => token);
    return fitting.length > 0 ? Math.min(...fitting) : NONE;
  }
}

/** Return what a token does to each kind of marks. */
function changes(word) {
  const marks = withoutJoiners(word);
  if (['"', "“", "”"].includes(marks) && marks !== word) {
    return [[marks === '"' ? STRAIGHT : CURLY, word.startsWith(JOINER) ? "closes" : "opens"]];
  }
  const count = (mark) => word.split(mark).length - 1;
  const found = count('"') % 2 === 1 ? [[STRAIGHT, "turns"]] : [];
  const opened = count("“") - count("”");
  if (opened !== 0) {
    found.push([CURLY, opened > 0 ? "opens" : "closes"]);
  }
  return found;
}

/** Return log(exp(x) + exp(y)) in float32, as NumPy computes it. */
function logAddExp(x, y) {
  if (x === y) {
    return f32(x + LN2);
  }
  const below = f32(-Math.abs(f32(x - y)));
  return f32(Math.max(x, y) + f32(Math.log1p(f32(Math.exp(below)))));
}
