// The text that grows while tokens arrive: joins them, watches for stop texts, holds back what may become one.

import { trimEnd, isSpace } from "../tokenizer/characters.js";

const KEEPS_PROMPT = ["none", "corpus"]; // the other casings write the whole text

/** Turns the new tokens of one row into pieces of text that join to its continuation. */
export class TextStream {
  /** `repeated`: how many letters of the prompt the first new tokens repeat. */
  constructor(tokenizer, prompt, encoding, { casing, stops = [], repeated = 0 }) {
    this._tokenizer = tokenizer;
    this._casing = casing;
    this._stops = stops;
    this._repeated = repeated;
    this._detokenizer = tokenizer.detokenizer(casing);
    this.promptText = this._detokenizer.join(tokenizer.promptPieces(encoding, casing));
    const typed = kept(tokenizer, prompt, encoding, casing);
    if (typed !== null) {
      if (typed !== "" && this.promptText === "") {
        this._detokenizer.push(typed); // the normalization removes all of it
      }
      this.promptText = typed;
    }
    this.stopped = false;
    this._held = "";
  }

  /** Add a token; return the text that can be emitted, "" while it may be the start of a stop text. */
  push(token) {
    if (this.stopped) {
      return "";
    }
    return this._released(this._detokenizer.push(this._new(token)));
  }

  /** Return the text that was held back; no more tokens come. */
  finish() {
    if (this.stopped) {
      return "";
    }
    const held = this._held;
    this._held = "";
    return held + this._detokenizer.finish();
  }

  _released(added) {
    if (this._stops.length === 0) {
      return added;
    }
    const text = this._held + added;
    const found = this._stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.stopped = true;
      this._held = "";
      return text.slice(0, Math.min(...found));
    }
    const keep = Math.max(...this._stops.map((stop) => overlap(text, stop)));
    this._held = text.slice(text.length - keep);
    return text.slice(0, text.length - keep);
  }

  /** Return what of the piece of `token` is not in the prompt. */
  _new(token) {
    const piece = this._tokenizer.pieceToJoin(token, this._casing);
    const count = Math.min(piece.length, this._repeated);
    this._repeated -= count;
    return piece.slice(count);
  }
}

/** Return `prompt` as it was typed, without white space at its end that is no token; null if it is rewritten. */
function kept(tokenizer, prompt, encoding, casing) {
  if (!KEEPS_PROMPT.includes(casing) || tokenizer.kind === "bpe") {
    return null;
  }
  const typed = tokenizer.withoutStart(prompt);
  if (encoding.pieces.length > 0 && isSpace(encoding.pieces.at(-1))) {
    return typed;
  }
  return tokenizer.kind === "word" && tokenizer.splitOn === "space" ? typed.replace(/ +$/, "") : trimEnd(typed);
}

/** Return the length of the longest end of `text` that is a beginning of `stop`. */
function overlap(text, stop) {
  for (let count = Math.min(text.length, stop.length - 1); count > 0; count -= 1) {
    if (text.endsWith(stop.slice(0, count))) {
      return count;
    }
  }
  return 0;
}
