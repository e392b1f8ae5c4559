// Suggestions: the likeliest next words of a text, or completions of its last word.

import { PromptError, shown } from "../errors.js";
import { likeliest } from "./likeliest.js";
import { TypedTextReader } from "./typed-text.js";

/** Makes suggestions of words and characters from logits: reads typed texts, ranks words, and writes them. */
export class Suggester {
  constructor(tokenizer, defaults) {
    this._tokenizer = tokenizer;
    const suppressed = new Set(defaults.suppressed_ids);
    const words = [];
    for (let token = tokenizer.specials.length; token < tokenizer.size; token += 1) {
      if (!suppressed.has(token)) {
        words.push(token);
      }
    }
    this._end = tokenizer.special("end");
    this._next = this._end === undefined || suppressed.has(this._end) ? words : [this._end, ...words];
    this._reader = new TypedTextReader(tokenizer, words);
  }

  /** Return the finished words of `text`, encoded like a prompt, and the unfinished word. */
  read(text) {
    const typed = this._reader.read(text);
    const encoding = this._tokenizer.encodePieces(typed.pieces);
    const start = this._tokenizer.special("start");
    const ids = start === undefined ? encoding.ids : [start, ...encoding.ids];
    if (ids.length === 0) {
      throw new PromptError(
        encoding.unknown.length > 0
          ? `no finished word of the text ${shown(text)} is in the model's vocabulary`
          : `the text ${shown(text)} has no finished word, and this model has no <start>: give at least one word`,
      );
    }
    return { encoding: { ...encoding, ids }, unfinished: typed.unfinished };
  }

  /** Return the `n` likeliest words after what `read` returned, the likeliest first; `end`: or the end of the text. */
  suggest(logits, { encoding, unfinished }, { n, end, casing }) {
    const found =
      unfinished === ""
        ? likeliest(logits, this._next, n + 1).filter(({ token }) => end || token !== this._end).slice(0, n)
        : likeliest(logits, this._reader.candidates(unfinished), n);
    const written = this._tokenizer.detokenizer(casing);
    written.join(this._tokenizer.promptPieces(encoding, casing));
    return found.map(({ token, probability }) => {
      const text = written.peek(this._tokenizer.pieceToJoin(token, casing));
      const bare = this._tokenizer.kind === "word" && text.startsWith(" ") ? text.slice(1) : text;
      return { text: bare, probability, id: token, completes: unfinished };
    });
  }
}
