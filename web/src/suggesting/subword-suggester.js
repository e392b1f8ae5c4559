// Suggestions of a model of subwords: the last word of a text may be open, so each completes it or goes on.

import { PromptError } from "../errors.js";
import { bytesOf, lettersOf } from "../tokenizer/byte-letters.js";
import { isAlphanumeric } from "../tokenizer/characters.js";
import { openPiece } from "../tokenizer/subword-pieces.js";
import { likeliest } from "./likeliest.js";
import { Suggester } from "./suggester.js";

/** Suggests subwords: a whole word if the vocabulary has it in one, and otherwise its next part. */
export class SubwordSuggester extends Suggester {
  read(text) {
    const tokenizer = this._tokenizer;
    const pieces = tokenizer.split(tokenizer.withoutStart(text));
    const start = tokenizer.special("start");
    const head = start === undefined ? [] : [start];
    if (pieces.length === 0) {
      if (start === undefined) {
        throw new PromptError("the text is empty and this model has no <start>: give at least one word");
      }
      return { encoding: { ids: head, pieces: [], unknown: [] }, unfinished: "" };
    }
    const [before, last] = openPiece(pieces);
    const { finished, open } = tokenizer.subwords.find(head, pieces);
    // A word is open until something follows it, as other kinds have it.
    const reopened = open.length === 0 && isAlphanumeric(Array.from(last).at(-1)) && finished.length > 1;
    const ids = reopened ? finished.slice(0, -1) : finished;
    return { encoding: { ids, pieces: before.map(lettersOf), unknown: [] }, unfinished: lettersOf(last) };
  }

  suggest(logits, { encoding, unfinished }, { n, end, casing }) {
    const { vocabulary, specials, subwords } = this._tokenizer;
    const written = this._tokenizer.detokenizer(casing);
    written.join(encoding.pieces);
    const fed = encoding.ids.filter((token) => token >= specials.length).map((token) => vocabulary[token]).join("");
    const size = encoding.pieces.reduce((sum, piece) => sum + piece.length, 0);
    let head = fed.slice(size);
    const rest = unfinished.slice(head.length);
    let found;
    let typed = "";
    if (rest !== "") {
      found = likeliest(logits, subwords.beginningWith(rest).filter((token) => isUtf8(head + vocabulary[token])), n);
      typed = new TextDecoder().decode(bytesOf(unfinished)).replace(/^ /, "");
    } else {
      found = likeliest(logits, this._next.filter((token) => this._isWhole(token)), n + 1);
      found = found.filter(({ token }) => end || token !== this._end).slice(0, n);
      written.push(head);
      head = "";
    }
    return found.map(({ token, probability }) => {
      const text = written.peek(head + this._tokenizer.pieceToJoin(token));
      return { text: text.replace(/^ /, ""), probability, id: token, completes: typed };
    });
  }

  _isWhole(token) {
    return token < this._tokenizer.specials.length || isUtf8(this._tokenizer.vocabulary[token]);
  }
}

function isUtf8(letters) {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytesOf(letters));
    return true;
  } catch {
    return false;
  }
}
