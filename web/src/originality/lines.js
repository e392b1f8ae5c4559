// Which texts, as far as they are written, are whole documents of the training text: a fold over their tokens.

import { bytesOf } from "../tokenizer/byte-letters.js";
import { wordsOf } from "./plain-words.js";
import { extended, wordHash } from "./training-runs.js";

const SPACES = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20]);
const LINES = -1; // what is made of the runs for a number of words has that number
const BEGUN = { words: 0n, rest: [] };
const OTHER = { words: null, rest: [] }; // a text that no document can be

/** Return the fold for the kind of tokens that the model has. */
export function linesOf(runs) {
  if (!runs.made.has(LINES)) {
    runs.made.set(LINES, runs.tokenizer.kind === "word" ? new LinesOfWords(runs) : new LinesOfParts(runs));
  }
  return runs.made.get(LINES);
}

/** Tokens are words, or several words, or marks. No document has a special token between its words. */
class LinesOfWords {
  constructor(runs) {
    this._runs = runs;
    this._unknown = runs.tokenizer.special("unk");
  }

  first(prompt) {
    return prompt.reduce((state, token) => this.follow(state, token), BEGUN);
  }

  follow(state, token) {
    if (state.words === null) {
      return state;
    }
    const words = this._runs.wordsOfToken(token);
    if (words === null) {
      return state.words > 0n || token === this._unknown ? OTHER : state;
    }
    return { words: words.reduce(extended, state.words), rest: [] };
  }

  isLine(state) {
    return state.words !== null && state.words > 0n && this._runs.hasLine(state.words);
  }
}

/** Tokens are characters or subwords: a word is known when a space follows it, or the text ends. */
class LinesOfParts {
  constructor(runs) {
    this._runs = runs;
    this._tokenizer = runs.tokenizer;
    this._unknown = this._tokenizer.special("unk");
    const asBytes = this._tokenizer.kind === "bpe" ? bytesOf : (piece) => new TextEncoder().encode(piece);
    this._afterWords = new Set();
    for (let token = 0; token < this._tokenizer.size; token += 1) {
      if (SPACES.has(asBytes(this._tokenizer.piece(token))[0])) {
        this._afterWords.add(token);
      }
    }
  }

  first(prompt) {
    return prompt.reduce((state, token) => this.follow(state, token), BEGUN);
  }

  follow(state, token) {
    if (state.words === null || token === this._unknown) {
      return OTHER;
    }
    if (this._afterWords.has(token) && state.rest.length > 0) {
      return { words: this._words(state), rest: [token] };
    }
    return { words: state.words, rest: [...state.rest, token] };
  }

  isLine(state) {
    if (state.words === null) {
      return false;
    }
    const words = this._words(state);
    return words > 0n && this._runs.hasLine(words);
  }

  /** Return the polynomial of the words up to the last space and of those behind it. */
  _words({ words, rest }) {
    return wordsOf(this._tokenizer.decode(rest)).map(wordHash).reduce(extended, words);
  }
}
