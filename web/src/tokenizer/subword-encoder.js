// Encodes pieces of text as subwords: byte pair encoding, by the merges of the model file.

import { ModelFileError, OptionError } from "../errors.js";
import { LETTERS, isBytes } from "./byte-letters.js";

const KEPT = 1 << 16; // pieces whose ids are kept
const LONGEST_KEPT = 64;

/** Encodes with a `vocabulary`, in letters of bytes after its `first` special tokens, and `merges`, the first first. */
export class SubwordEncoder {
  constructor(vocabulary, first, merges) {
    const ids = new Map();
    for (let token = first; token < vocabulary.length; token += 1) {
      if (!isBytes(vocabulary[token])) {
        throw new ModelFileError("a vocabulary of subwords has letters of bytes only, after its special tokens");
      }
      ids.set(vocabulary[token], token);
    }
    this._size = vocabulary.length;
    this._ofByte = LETTERS.map((letter) => found(ids, letter));
    this._results = [];
    this._ranks = new Map(); // by left · size + right
    merges.forEach((merge, rank) => {
      const [left, right] = merge.split(" ");
      this._ranks.set(this._pair(found(ids, left), found(ids, right)), rank);
      this._results.push(found(ids, left + right));
    });
    this._kept = new Map();
  }

  /** Return the ids of `pieces`, and no unknown ones. */
  encode(pieces) {
    const ids = [];
    for (const piece of pieces) {
      let of = this._kept.get(piece);
      if (of === undefined) {
        of = this._encoded(piece);
        if (piece.length <= LONGEST_KEPT) {
          if (this._kept.size >= KEPT) {
            this._kept.clear();
          }
          this._kept.set(piece, of);
        }
      }
      for (const token of of) {
        ids.push(token);
      }
    }
    return { ids, unknown: [] };
  }

  _encoded(piece) {
    if (!piece.isWellFormed()) {
      throw new OptionError("the input to encode holds half a character (a lone surrogate)");
    }
    const tokens = Array.from(new TextEncoder().encode(piece), (byte) => this._ofByte[byte]);
    for (;;) {
      let best = Infinity;
      let at = -1;
      for (let i = 0; i + 1 < tokens.length; i += 1) {
        const rank = this._ranks.get(this._pair(tokens[i], tokens[i + 1]));
        if (rank < best) {
          best = rank;
          at = i;
        }
      }
      if (at < 0) {
        return tokens;
      }
      tokens.splice(at, 2, this._results[best]);
    }
  }

  _pair(left, right) {
    return left * this._size + right;
  }
}

function found(ids, text) {
  const token = ids.get(text);
  if (token === undefined) {
    throw new ModelFileError("the vocabulary of subwords lacks a byte, or a part or the result of a merge");
  }
  return token;
}
