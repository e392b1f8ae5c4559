// Joins pieces to text as a person would write it: with spaces, punctuation, quotation marks and casing.
// The text of a piece depends only on the pieces before it, so a text can be streamed.

import { OptionError, shown } from "../errors.js";
import { capitalized, hasLetter, hasLetterOrNumber, isSpace, titleCharacter } from "./characters.js";

export const CASINGS = ["none", "corpus", "title", "sentence", "upper"];

const NO_SPACE_BEFORE = new Set(".,!?;:%)]}”’»…›」』。、！？：");
const NO_SPACE_AFTER = new Set("([{“‘«$£€#¿¡„‚‹「『");
const CLOSING = new Set('”’»")]}›」』');
const LOW = new Map([["„", "“"], ["‚", "‘"]]); // German: an opening mark, and the one that closes it
const BREAKS = new Set(["\n", "\n\n"]);
const SENTENCE_END = new Set(".!?…。！？");
const CONTRACTIONS = new Set(["n't", "n’t"]);
for (const ending of ["s", "t", "d", "m", "ll", "re", "ve"]) {
  CONTRACTIONS.add(`'${ending}`).add(`’${ending}`);
}
// The first letter of a word or of a part after a hyphen or the like; not a letter after an apostrophe or a digit.
const TITLE_START = /(?:^|(?<=[-–—/.&+([{“‘"]))[\p{L}\p{Nl}\p{No}]/gu;
// Python's \d, of which [^\W\d_] has none, is category Nd: other numbers have no case but for a few.

/** Return a word capitalized as in headlines. */
export function titleCase(word) {
  return word.replace(TITLE_START, titleCharacter);
}

/** Return `casing` if it is one of CASINGS; throws OptionError otherwise. */
export function checkCasing(casing) {
  if (!CASINGS.includes(casing)) {
    throw new OptionError(`unknown casing ${shown(casing)}; there are ${CASINGS.join(", ")}`);
  }
  return casing;
}

/** Joins pieces to text, one at a time. `spaced`: false for characters; `lineBreaks`: how many separate paragraphs. */
export class Detokenizer {
  constructor({ spaced = true, casing = "none", capitalizeFirst = true, lineBreaks = 0 } = {}) {
    this._spaced = spaced;
    this._lineBreaks = lineBreaks;
    this._broken = 0; // line breaks since the last other piece
    this._casing = checkCasing(casing);
    this._capitalize = casing === "sentence" || (casing === "corpus" && capitalizeFirst);
    this._asItStands = (casing === "none" || casing === "corpus") && !this._capitalize;
    this._atStart = true;
    this._sentenceStart = true;
    this._abbreviated = false; // the last piece looks like an abbreviation: "." ends no sentence
    this._glue = true; // the next piece follows without a space
    this._quoteOpen = false;
    this._lowOpen = ""; // what closes the low quotation mark that is open
    this._wordStart = true; // for pieces that are single characters
  }

  /** Add `piece` and return its text; an empty piece (a special token) adds nothing. */
  push(piece) {
    if (piece === "") {
      return "";
    }
    if (!this._spaced) {
      return this._cased(piece);
    }
    if (this._lineBreaks > 0 && BREAKS.has(piece)) {
      return this._break(piece);
    }
    this._broken = 0;
    const closesLow = piece === this._lowOpen;
    const closesQuote = (piece === '"' && this._quoteOpen) || closesLow;
    const glued = this._glue || closesQuote || NO_SPACE_BEFORE.has(piece) || CONTRACTIONS.has(piece);
    this._glue = !closesLow && (NO_SPACE_AFTER.has(piece) || (piece === '"' && !this._quoteOpen));
    if (piece === '"') {
      this._quoteOpen = !this._quoteOpen;
    } else if (closesLow || LOW.has(piece)) {
      this._lowOpen = closesLow ? "" : LOW.get(piece);
    }
    const space = glued || this._atStart ? "" : " ";
    return space + this._cased(piece, closesLow);
  }

  /** Return the text that `piece` would have next, as the last one, without adding it. */
  peek(piece) {
    const other = Object.assign(Object.create(Object.getPrototypeOf(this)), this);
    return other.push(piece) + other.finish();
  }

  /** Add all `pieces` and return their text. */
  join(pieces) {
    return pieces.map((piece) => this.push(piece)).join("");
  }

  /** Return the text that was held back; no more pieces come. */
  finish() {
    return "";
  }

  /** Add a line break, or two; where a paragraph ends, no quotation mark stays open. */
  _break(piece) {
    this._broken += piece.length;
    if (this._broken >= this._lineBreaks) {
      this._quoteOpen = false;
      this._lowOpen = "";
    }
    this._glue = true;
    this._sentenceStart = true;
    return piece;
  }

  _cased(piece, closes = false) {
    if (this._asItStands) {
      this._atStart = false;
      return piece;
    }
    const starts = this._sentenceStart;
    this._note(piece, closes);
    const wordStart = this._wordStart;
    this._wordStart = isSpace(piece);
    this._atStart = false;
    if (this._casing === "title") {
      return this._spaced || wordStart ? titleCase(piece) : piece;
    }
    if (this._casing === "upper") {
      return piece.toUpperCase();
    }
    // iPhone stays iPhone.
    return this._capitalize && starts && piece === piece.toLowerCase() ? capitalized(piece) : piece;
  }

  /** Note whether a sentence begins after `piece`. */
  _note(piece, closes) {
    if (hasLetterOrNumber(piece)) {
      this._sentenceStart = false;
    }
    if (SENTENCE_END.has(piece) || (!this._spaced && piece.endsWith("\n"))) {
      this._sentenceStart = !(piece === "." && this._abbreviated);
    } else if (closes || CLOSING.has(piece)) {
      this._sentenceStart = false; // “Where?” asked Tom.
    }
    const single = piece.length <= 2 && Array.from(piece).length === 1;
    this._abbreviated = this._spaced && (single || piece.includes(".")) && hasLetter(piece); // J., U.S.
  }
}
