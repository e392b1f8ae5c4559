// Splits a text into the pieces that a vocabulary has: words, characters, or pieces of subwords.

import { length, words } from "./characters.js";
import { checkGrowth, mostGrowth } from "./normalization.js";
import { cut, withLineStarts } from "./subword-pieces.js";

export const LINE_BREAK = "\n";

function split(normalized, kind, splitOn) {
  if (kind === "char") {
    return Array.from(normalized);
  }
  if (kind === "bpe") {
    return cut(withLineStarts(normalized));
  }
  return splitOn === "space" ? normalized.split(" ").filter((word) => word !== "") : words(normalized);
}

/**
 * Return the pieces of a text, normalized; with `most` above 0, line by line: between lines stand up to `most` line
 * breaks, each a piece.
 */
export function splitText(text, normalization, kind, splitOn, most) {
  if (most === 0 || !/[\r\n]/.test(text)) {
    return split(normalization.apply(text), kind, splitOn);
  }
  const pieces = [];
  let size = 0;
  text.split(/\r\n?|\n/).forEach((line, number) => {
    const end = pieces.slice(-most);
    if (number > 0 && !(end.length === most && end.every((piece) => piece === LINE_BREAK))) {
      pieces.push(LINE_BREAK);
    }
    const normalized = normalization.apply(line);
    size += length(normalized);
    checkGrowth(size, mostGrowth(text));
    for (const piece of split(normalized, kind, splitOn)) {
      pieces.push(piece);
    }
  });
  return pieces;
}
