// Joins pieces that say where they are attached: spaces stand exactly where they stood.

import { Detokenizer } from "./detokenizer.js";
import { JOINER, withoutJoiners } from "./marks.js";

const BREAKS = new Set(["\n", "\n\n"]);
const CLOSE = new Set("“‘"); // German: the other closing marks close in any language

/** Joins pieces with a space, but without one on the side where a piece has U+2060 (the step mark_edges). */
export class MarkedDetokenizer extends Detokenizer {
  push(piece) {
    if (piece === "") {
      return "";
    }
    if (this._lineBreaks > 0 && BREAKS.has(piece)) {
      return this._break(piece);
    }
    this._broken = 0;
    const closes = piece.startsWith(JOINER);
    const opens = piece.endsWith(JOINER);
    const space = closes || this._glue || this._atStart ? "" : " ";
    const starts = this._sentenceStart;
    this._glue = opens;
    const text = this._cased(withoutJoiners(piece), closes && CLOSE.has(piece.slice(1)));
    if (opens) {
      this._sentenceStart = starts; // “Go: a sentence begins after its opening marks
    }
    return space + text;
  }
}
