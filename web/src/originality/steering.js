// Which tokens would copy one word too many: a fold over the words of a text, for the stage `max-copied`.

import { OptionError } from "../errors.js";
import { beginningOf, extended } from "./training-runs.js";

/** Return the `Ends` for `runs` and `most`, which are made once. */
export function endsOf(runs, most) {
  if (!runs.made.has(most)) {
    runs.made.set(most, new Ends(runs, most));
  }
  return runs.made.get(most);
}

/**
 * Finds the tokens that would complete a run of more than `most` words of the training text. A state is the list of
 * the hashes of a row's last words, at most `most`.
 */
class Ends {
  constructor(runs, most) {
    if (runs.tokenizer.kind !== "word") {
      throw new OptionError("max-copied needs a model whose tokens are words; for others results say what is copied");
    }
    const [least, greatest] = [runs.shortest - 1, runs.longest - 1];
    if (most < least || most > greatest) {
      const which = least < greatest ? `from ${least} to ${greatest}` : String(least);
      throw new OptionError(`max-copied must be ${which} for this model, not ${most}`);
    }
    this._runs = runs;
    this._most = most;
    this._starting = new Map(); // the tokens, by bits of their first words
    this._inner = []; // tokens of several words, once for each word but the first
    runs.tokenizer.vocabulary.forEach((_, token) => this._add(token, runs.wordsOfToken(token) ?? []));
  }

  /** Return the state after one more token. */
  follow(state, token) {
    const words = this._runs.wordsOfToken(token);
    return words === null ? [] : [...state, ...words].slice(-this._most);
  }

  /** Return the tokens that must not come next; one may be there twice. */
  banned(state) {
    const inner = this._inner.filter(({ words }) => this._isCopied([...state, ...words])).map(({ token }) => token);
    if (state.length < this._most) {
      return inner;
    }
    const bits = this._runs.table.lasts(beginningOf(state.reduce(extended, 0n), this._most + 1));
    return [...bits.flatMap((each) => this._starting.get(each) ?? []), ...inner];
  }

  _add(token, words) {
    if (words.length > 0) {
      const bits = this._runs.table.last(words[0]);
      this._starting.set(bits, [...(this._starting.get(bits) ?? []), token]);
    }
    for (let count = 2; count <= words.length; count += 1) {
      this._inner.push({ token, words: words.slice(0, count) });
    }
  }

  /** Return whether the last `most` + 1 of the words are a run of the training text. */
  _isCopied(words) {
    const run = words.slice(-this._most - 1);
    return (
      run.length > this._most &&
      this._runs.table.has(beginningOf(run.slice(0, -1).reduce(extended, 0n), run.length), run.at(-1))
    );
  }
}
