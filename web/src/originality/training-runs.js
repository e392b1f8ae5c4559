// What a model file knows of its training text, by hashes: what a text copies, and which texts are documents of it.

import { ModelFileError } from "../errors.js";
import { blake2b64 } from "../generating/random/blake2b.js";
import { withoutJoiners } from "../tokenizer/marks.js";
import { wordSpans, wordsOf } from "./plain-words.js";
import { RunTable } from "./run-table.js";

const MASK = (1n << 64n) - 1n;
const FACTOR = 0x9e3779b97f4a7c55n;
const LINE = 0xd1b54a32d192ed03n; // in the place of a length: the run is a whole document
const STEP = 0xbf58476d1ce4e5b9n;
const LONGEST = 64; // words of a run in a table
const PERSON = Uint8Array.from({ length: 16 }, (_, at) => "genrun".charCodeAt(at) || 0);

/** The document genrun.originality of a model; its table is read when it is first needed. */
export class TrainingRuns {
  constructor(value, tokenizer) {
    const { shortest, longest } = value;
    const whole = Number.isInteger(shortest) && Number.isInteger(longest);
    if (!whole || shortest < 2 || shortest > longest || longest > LONGEST) {
      throw new ModelFileError(`genrun.originality needs 'shortest' and 'longest', from 2 to ${LONGEST} words`);
    }
    this.shortest = shortest;
    this.longest = longest;
    this.tokenizer = tokenizer;
    this.made = new Map(); // what others have made of the table, by a number
    this._value = value;
    this._opened = null;
    this._ofTokens = new Map();
  }

  /** The hashed runs. */
  get table() {
    this._opened ??= new RunTable(this._value);
    return this._opened;
  }

  /**
   * Return what a text copies: an encoded prompt and its new ids; `text` is both as they are written. `run`: the words
   * of the longest run, 0 for fewer than those of the table; `isLine`: whether a document has all its words; `span`:
   * from and up to which unit of the text the run stands, or null.
   */
  copied(encoding, newIds, text) {
    const parts = this._parts(encoding, newIds, text);
    let longest = { length: 0, words: [] };
    for (const words of parts) {
      const { length, start } = this._longest(words);
      if (length > longest.length) {
        longest = { length, words: words.slice(start, start + length) };
      }
    }
    const { length: run, words } = longest;
    const [whole] = parts;
    const mayBeLine = parts.length === 1 && (run >= whole.length || whole.length < this.shortest);
    const known = !newIds.includes(this.tokenizer.special("unk")); // a text with an unknown word is no line
    const isLine = mayBeLine && known && this.hasLine(whole.reduce(extended, 0n));
    return { run, isLine, span: run > 0 ? spanOf(text, words) : null };
  }

  /** Return whether a document of the training text has the words with this polynomial. */
  hasLine(words) {
    return this.table.has(mixed(words ^ LINE), 0n);
  }

  /** Return the hashes of the words of a token, of a mark none; null for a special token, which parts runs. */
  wordsOfToken(token) {
    if (token < this.tokenizer.specials.length) {
      return null;
    }
    if (!this._ofTokens.has(token)) {
      this._ofTokens.set(token, wordsOf(this.tokenizer.piece(token)).map(wordHash));
    }
    return this._ofTokens.get(token);
  }

  /** Return the hashes of the words of a text, in parts that no run goes across. */
  _parts(encoding, newIds, text) {
    if (this.tokenizer.kind !== "word") {
      return [wordsOf(text).map(wordHash)];
    }
    const parts = [encoding.pieces.flatMap((piece) => wordsOf(withoutJoiners(piece)).map(wordHash))];
    for (const words of newIds.map((token) => this.wordsOfToken(token))) {
      if (words === null) {
        parts.push([]);
      } else {
        parts.at(-1).push(...words);
      }
    }
    return parts.filter((part) => part.length > 0);
  }

  /** Return the length of the longest copied run, and where it starts. */
  _longest(words) {
    let found = { length: 0, start: 0 };
    let whole = 0; // runs in a row that have the greatest length
    for (let start = 0; start + this.shortest <= words.length; start += 1) {
      const run = this._runFrom(words, start);
      whole = run === this.longest ? whole + 1 : 0;
      const before = Math.max(0, whole - 1);
      if (run + before > found.length) {
        found = { length: run + before, start: start - before };
      }
    }
    return found;
  }

  /** Return the length of the run of the table that starts at a word, 0 without one. */
  _runFrom(words, start) {
    let beginning = words.slice(start, start + this.shortest - 1).reduce(extended, 0n);
    let run = 0;
    for (let length = this.shortest; length <= this.longest && start + length <= words.length; length += 1) {
      const last = words[start + length - 1];
      if (!this.table.has(beginningOf(beginning, length), last)) {
        break;
      }
      run = length;
      beginning = extended(beginning, last);
    }
    return run;
  }
}

/** Return the hash of the beginning of a run of `length` words; `words` is the polynomial of all but its last. */
export function beginningOf(words, length) {
  return mixed(words ^ ((BigInt(length) * STEP) & MASK));
}

function spanOf(text, run) {
  const spans = wordSpans(text);
  const words = spans.map(({ word }) => wordHash(word));
  for (let start = 0; start + run.length <= words.length; start += 1) {
    if (run.every((word, number) => words[start + number] === word)) {
      return [spans[start].from, spans[start + run.length - 1].to];
    }
  }
  return null;
}

/** Return the polynomial of a run and one more word. */
export function extended(run, word) {
  return (run * FACTOR + word) & MASK;
}

const KNOWN = 50_000; // words whose hashes are kept
const hashes = new Map();

/** Return the hash of a word. */
export function wordHash(word) {
  let hash = hashes.get(word);
  if (hash === undefined) {
    if (hashes.size >= KNOWN) {
      hashes.clear();
    }
    hash = blake2b64(new TextEncoder().encode(word), PERSON);
    hashes.set(word, hash);
  }
  return hash;
}

/** Return `value` with all its bits mixed (the last step of SplitMix64). */
function mixed(value) {
  let bits = ((value ^ (value >> 30n)) * STEP) & MASK;
  bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return bits ^ (bits >> 31n);
}
