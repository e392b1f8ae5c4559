// What a model file knows of its training text: which texts are whole documents of it, by hashes.

import { blake2b64 } from "../generating/random/blake2b.js";
import { wordsOf } from "./plain-words.js";
import { RunTable } from "./run-table.js";

const MASK = (1n << 64n) - 1n;
const FACTOR = 0x9e3779b97f4a7c55n;
const LINE = 0xd1b54a32d192ed03n; // in the place of a length: the run is a whole document
const PERSON = Uint8Array.from({ length: 16 }, (_, at) => "genrun".charCodeAt(at) || 0);

/** The document genrun.originality of a model; its table is read when it is first needed. */
export class TrainingRuns {
  constructor(value, tokenizer) {
    this._value = value;
    this._tokenizer = tokenizer;
    this._table = null;
    this._ofTokens = new Map();
  }

  /** The kind of the tokenizer. */
  get kind() {
    return this._tokenizer.kind;
  }

  /** Return whether a document of the training text has the words with this polynomial. */
  hasLine(words) {
    this._table ??= new RunTable(this._value);
    return this._table.has(mixed(words ^ LINE), 0n);
  }

  /** Return the hashes of the words of a token, of a mark none; null for a special token, which parts runs. */
  wordsOfToken(token) {
    if (token < this._tokenizer.specials.length) {
      return null;
    }
    if (!this._ofTokens.has(token)) {
      this._ofTokens.set(token, wordsOf(this._tokenizer.piece(token)).map(wordHash));
    }
    return this._ofTokens.get(token);
  }
}

/** Return the polynomial of a run and one more word. */
export function extended(run, word) {
  return (run * FACTOR + word) & MASK;
}

function wordHash(word) {
  return blake2b64(new TextEncoder().encode(word), PERSON);
}

/** Return `value` with all its bits mixed (the last step of SplitMix64). */
function mixed(value) {
  let bits = ((value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return bits ^ (bits >> 31n);
}
