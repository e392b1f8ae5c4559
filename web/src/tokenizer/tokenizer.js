// The tokenizer of a model file: text to ids, and ids to text.

import { ModelFileError, OptionError, PromptError, UnsupportedError, shown } from "../errors.js";
import { LETTERS } from "./byte-letters.js";
import { isSpace, trimStart } from "./characters.js";
import { Detokenizer } from "./detokenizer.js";
import { Labels } from "./labels.js";
import { MarkedDetokenizer } from "./marked-detokenizer.js";
import { opened, withoutJoiners } from "./marks.js";
import { Normalization } from "./normalization.js";
import { OpenEndFinder } from "./open-end.js";
import { LINE_BREAK, splitText } from "./splitting.js";
import { SubwordDetokenizer } from "./subword-detokenizer.js";
import { SubwordEncoder } from "./subword-encoder.js";
import { LineEndEncoder, WordEncoder } from "./word-encoder.js";
import { WrittenForms } from "./written-forms.js";

const SPECIALS = { pad: "<pad>", unk: "<unk>", start: "<start>", end: "<end>" };
const KINDS = ["word", "char", "bpe"];
const NEWEST = 4; // version of the document

/** Turns text into token ids and back; made of the document `genrun.tokenizer`. An encoding has ids, pieces, unknown. */
export class Tokenizer {
  constructor(value) {
    check(value);
    this.kind = value.kind;
    this.splitOn = value.split_on;
    this.normalization = new Normalization(value.normalization);
    this.vocabulary = value.vocabulary;
    this.specials = Object.keys(SPECIALS).filter((name) => value.specials.includes(name));
    this.labels = new Labels(value.labels);
    this.endText = value.end_text ?? "";
    this._written = new WrittenForms(value.written);
    this._breaks = this.kind !== "word" ? 0 : value.line_breaks ? 2 : Number(this.endText !== "");
    this._opening = this.kind === "word" ? this.normalization.openingMarks : null;
    this._special = new Map(this.specials.map((name, id) => [name, id]));
    this._words = new Map();
    this.vocabulary.forEach((word, id) => {
      if (id >= this.specials.length && !this.labels.has(id)) {
        this._words.set(word, id);
      }
    });
    if (this._special.has("unk")) {
      this._words.set(SPECIALS.unk, this._special.get("unk"));
    }
    const bytes = Array.from(new TextEncoder().encode(this.endText), (byte) => LETTERS[byte]).join("");
    this._endPiece = this.kind === "bpe" ? bytes : this.endText;
    const text = this.kind === "bpe" && this.labels.size > 0 ? this.vocabulary.slice(0, this.labels.first) : this.vocabulary;
    this._encoder = this._makeEncoder(text, value.merges ?? []);
    this.subwords = this.kind === "bpe" ? new OpenEndFinder(this._encoder, text, this.specials.length) : null;
  }

  /** The size of the vocabulary, special tokens included. */
  get size() {
    return this.vocabulary.length;
  }

  /** Return the id of the special token `name` (pad, unk, start, end), or undefined. */
  special(name) {
    return this._special.get(name);
  }

  /** Return the id of a `word` of the vocabulary, or undefined. */
  id(word) {
    return this._words.get(word);
  }

  /** Return the normalized words (or characters) of `text`. */
  split(text) {
    if (typeof text !== "string") {
      throw new PromptError(`the input to encode must be a text, not ${shown(text)}`);
    }
    return splitText(text, this.normalization, this.kind, this.splitOn, this._breaks);
  }

  /** Return the pieces of `text`, which goes on: a mark at its end, after a space, is an opening one. */
  splitOpen(text) {
    const pieces = this.split(text);
    return this._opening === null || isSpace(text.slice(-1)) ? pieces : opened(pieces, this._opening, this._words);
  }

  /** Encode `text` without start or end; unknown words become <unk>, or are left out if there is none. */
  encode(text) {
    return this.encodePieces(this.split(text));
  }

  /** Encode normalized words. */
  encodePieces(pieces) {
    const { ids, unknown } = this._encoder.encode(pieces);
    return { ids, pieces, unknown: this._opening === null ? unknown : unknown.map(withoutJoiners) };
  }

  /** Encode a whole document after its labels, with <start> and <end> if the tokenizer has them. */
  encodeDocument(text, labels) {
    const body = this.encode(this.withoutStart(text));
    return { ...body, ids: [...this.labels.ids(labels), ...this._start(), ...body.ids, ...this._of("end")] };
  }

  /** Encode the beginning of a document, after its labels; throws PromptError if there is nothing to begin from. */
  encodePrompt(text, labels) {
    const body = this.encodePieces(this.splitOpen(this.withoutStart(text)));
    const ids = [...this._start(), ...body.ids];
    if (ids.length === 0) {
      throw new PromptError(
        body.unknown.length > 0
          ? `no word of the prompt ${shown(text)} is in the model's vocabulary`
          : "the prompt is empty and this model has no <start>: give at least one word",
      );
    }
    return { ...body, ids: [...this.labels.ids(labels), ...ids] };
  }

  /** Return `text` without <start> at its beginning, if the tokenizer has this token. */
  withoutStart(text) {
    if (typeof text !== "string") {
      throw new PromptError(`a prompt must be a text, not ${shown(text)}`);
    }
    const stripped = trimStart(text);
    if (!this._special.has("start") || !stripped.startsWith(SPECIALS.start)) {
      return text;
    }
    const rest = stripped.slice(SPECIALS.start.length);
    return rest.startsWith(" ") ? rest.slice(1) : rest;
  }

  /** Return the ids of an encoded prompt: `finished`, and those that further text may turn into others, `open`. */
  openEnd(encoding) {
    if (this.subwords === null || encoding.pieces.length === 0) {
      return { finished: encoding.ids, open: [] };
    }
    const head = this.labels.size + Number(this._special.has("start"));
    return this.subwords.find(encoding.ids.slice(0, head), encoding.pieces);
  }

  /** Return a new detokenizer. */
  detokenizer(casing = "none") {
    const options = { casing, capitalizeFirst: this._written.capitalizeFirst };
    if (this.kind === "bpe") {
      return new SubwordDetokenizer(options);
    }
    if (this._opening !== null) {
      return new MarkedDetokenizer({ ...options, lineBreaks: this._breaks });
    }
    return new Detokenizer({ ...options, spaced: this.kind === "word", lineBreaks: this._breaks });
  }

  /** Return the text of one token as a detokenizer takes it; empty for a special token but an <end> with a text. */
  pieceToJoin(token, casing = "none") {
    if (!(token >= 0 && token < this.size)) {
      throw new OptionError(`token id ${token} is outside the vocabulary of ${this.size}`);
    }
    if (token < this.specials.length || this.labels.has(token)) {
      return token === this._special.get("end") ? this._endPiece : "";
    }
    const word = this.vocabulary[token];
    return casing === "corpus" ? this._written.write(token, word) : word;
  }

  /** Return the text of one token, empty for a special token but an <end> that has a text. */
  piece(token) {
    const piece = this.pieceToJoin(token);
    return this._opening === null ? piece : withoutJoiners(piece);
  }

  /** Return the pieces of an encoded prompt, for a detokenizer; unknown words are normalized only. */
  promptPieces(encoding, casing = "none") {
    if (this.kind === "bpe") {
      return encoding.ids.map((token) => this.pieceToJoin(token));
    }
    if (casing !== "corpus") {
      return encoding.pieces;
    }
    return encoding.pieces.map((piece) => {
      const token = this._words.get(piece);
      return (token === undefined ? "" : this.pieceToJoin(token, casing)) || piece;
    });
  }

  /** Return the text of `ids` as a person would write it, without special tokens. */
  decode(ids, casing = "none") {
    const written = this.detokenizer(casing);
    return written.join(Array.from(ids, (token) => this.pieceToJoin(Number(token), casing))) + written.finish();
  }

  _start() {
    return this._of("start");
  }

  _of(name) {
    return this._special.has(name) ? [this._special.get(name)] : [];
  }

  _makeEncoder(text, merges) {
    const encoder =
      this.kind === "bpe"
        ? new SubwordEncoder(text, this.specials.length, merges)
        : new WordEncoder(this._words, this._special.get("unk"));
    if (this.endText !== LINE_BREAK || this._words.has(LINE_BREAK)) {
      return encoder;
    }
    return new LineEndEncoder(encoder, [...this._of("end"), ...this._start()]);
  }
}

function check(value) {
  if (!Number.isInteger(value.version) || value.version > NEWEST) {
    throw new UnsupportedError(`tokenizer version ${shown(value.version)}: this genrun reads versions up to ${NEWEST}`);
  }
  if (!KINDS.includes(value.kind)) {
    throw new UnsupportedError(`unknown kind of tokenizer ${shown(value.kind)}; there are ${KINDS.join(", ")}`);
  }
  const texts = (list) => Array.isArray(list) && list.every((text) => typeof text === "string");
  if (!texts(value.vocabulary) || !texts(value.specials) || !texts(value.merges ?? [])) {
    throw new ModelFileError("a tokenizer needs the lists of texts 'vocabulary', 'specials', and 'merges' of subwords");
  }
  const specials = Object.keys(SPECIALS).filter((name) => value.specials.includes(name));
  const known = value.specials.every((name) => specials.includes(name));
  if (!known || specials.some((name, id) => value.vocabulary[id] !== SPECIALS[name])) {
    throw new ModelFileError("the vocabulary must begin with its special tokens");
  }
  if (new Set(value.vocabulary).size !== value.vocabulary.length) {
    throw new ModelFileError("the vocabulary names a token twice");
  }
}
