// Splits a half-typed text into finished words and the unfinished last word, and finds its completions.

import { hasLetterOrNumber } from "../tokenizer/characters.js";
import { PrefixIndex } from "../tokenizer/prefix-index.js";

/** Separates the finished words of a text from the word that is being typed; `ids` are the words that are offered. */
export class TypedTextReader {
  constructor(tokenizer, ids) {
    this._tokenizer = tokenizer;
    this._ids = ids;
    this._index = null;
    this._letter = this._findLetter();
  }

  /** Return the ids of the words that begin with `prefix`. */
  candidates(prefix) {
    this._index ??= new PrefixIndex(this._tokenizer.vocabulary, this._ids);
    return this._index.startingWith(prefix);
  }

  /** Return the finished words of `text`, normalized, and the unfinished one, empty if there is none. */
  read(text) {
    const typed = this._tokenizer.withoutStart(text);
    const pieces = this._tokenizer.splitOpen(typed);
    const finished = { pieces, unfinished: "" };
    if (this._letter === "") {
      return finished;
    }
    const before = this._tokenizer.split(typed + this._letter);
    const last = before.pop() ?? "";
    const prefix = last.endsWith(this._letter) ? last.slice(0, -this._letter.length) : last;
    if (prefix === "" || prefix === last) {
      return finished;
    }
    const whole = [...before, prefix];
    const same = whole.length === pieces.length && whole.every((piece, at) => piece === pieces[at]);
    const isWord = same && hasLetterOrNumber(prefix);
    const { vocabulary } = this._tokenizer;
    if (isWord || this.candidates(prefix).some((token) => vocabulary[token] !== prefix)) {
      return { pieces: before, unfinished: prefix };
    }
    return finished;
  }

  /** Return a letter that the normalization does not change; "" for characters, or if no letter is found. */
  _findLetter() {
    const { kind, vocabulary, specials } = this._tokenizer;
    if (kind === "char") {
      return "";
    }
    const letters = new Set(vocabulary.slice(specials.length).map((word) => Array.from(word)[0] ?? ""));
    for (const letter of letters) {
      const stays = [letter, letter + letter].every((text) => {
        const pieces = this._tokenizer.split(text);
        return pieces.length === 1 && pieces[0] === text;
      });
      if (stays) {
        return letter;
      }
    }
    return "";
  }
}
