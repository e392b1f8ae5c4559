// Joins subwords to text: bytes to characters, without the spaces that mark the beginnings of lines.

import { bytesOf } from "./byte-letters.js";
import { Detokenizer } from "./detokenizer.js";
import { withoutLineStarts } from "./subword-pieces.js";

/** Joins subwords, in letters of bytes, one at a time; a character comes out with its last byte. */
export class SubwordDetokenizer extends Detokenizer {
  constructor(options) {
    super({ ...options, spaced: false });
    this._bytes = new Uint8Array(0); // of a character that is not complete
    this._lineStart = true;
  }

  push(piece) {
    return piece === "" ? "" : this._decoded(bytesOf(piece), false);
  }

  join(pieces) {
    return this._decoded(bytesOf(pieces.join("")), false);
  }

  finish() {
    return this._decoded(new Uint8Array(0), true);
  }

  _decoded(added, final) {
    const data = new Uint8Array(this._bytes.length + added.length);
    data.set(this._bytes);
    data.set(added, this._bytes.length);
    const used = final ? data.length : data.length - incomplete(data);
    this._bytes = data.subarray(used);
    const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(data.subarray(0, used));
    if (decoded === "") {
      return "";
    }
    const text = withoutLineStarts(decoded, this._lineStart);
    this._lineStart = decoded.endsWith("\n");
    return this._asItStands ? text : Array.from(text, (character) => this._cased(character)).join("");
  }
}

/** Return how many bytes at the end of `data` may be the beginning of a character whose rest is still to come. */
function incomplete(data) {
  for (let count = 1; count <= Math.min(3, data.length); count += 1) {
    const lead = data[data.length - count];
    if (lead >= 0x80 && lead < 0xc0) {
      continue;
    }
    const size = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 1;
    if (lead >= 0xf5 || size <= count) {
      return 0;
    }
    return count === 1 || validSecond(lead, data[data.length - count + 1]) ? count : 0;
  }
  return 0;
}

/** Return whether the byte `second` may follow `lead` in UTF-8: no surrogates, nothing overlong or above U+10FFFF. */
function validSecond(lead, second) {
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= least && second <= most;
}
