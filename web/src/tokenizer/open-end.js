// Finds the last subwords of a prompt that one longer subword may stand for, once the text goes on.

import { PrefixIndex } from "./prefix-index.js";
import { openPiece } from "./subword-pieces.js";

/** Finds the open ends of texts of `encoder`, whose `vocabulary` begins with `first` special tokens. */
export class OpenEndFinder {
  constructor(encoder, vocabulary, first) {
    this._encoder = encoder;
    this._vocabulary = vocabulary;
    this._first = first;
    this._index = null;
  }

  /** Return the ids of the subwords that begin with `letters` of bytes. */
  beginningWith(letters) {
    if (this._index === null) {
      const ids = Array.from({ length: this._vocabulary.length - this._first }, (_, at) => at + this._first);
      this._index = new PrefixIndex(this._vocabulary, ids);
    }
    return this._index.startingWith(letters);
  }

  /** Return the end of the ids `head` followed by those of `pieces`: ids `finished`, and `open` ones. */
  find(head, pieces) {
    const [before, last] = openPiece(pieces);
    const ids = [...head, ...this._encoder.encode(before).ids];
    let count = ids.length;
    ids.push(...this._encoder.encode([last]).ids);
    let letters = ids.slice(count).map((token) => this._vocabulary[token]).join("");
    while (count < ids.length) {
      const found = this.beginningWith(letters);
      if (count > 0 && (found.length > 1 || (found.length === 1 && found[0] !== ids[count]))) {
        break;
      }
      letters = letters.slice(this._vocabulary[ids[count]].length);
      count += 1;
    }
    return { finished: ids.slice(0, count), open: ids.slice(count) };
  }
}
