// Marks parted from words so that it is known where they stood: a word joiner shows the side that was attached.

import { SPACES, inClass } from "./characters.js";

export const JOINER = "\u2060";

/** Return a pattern of the marks at the edges of words; groups 1 to 3: a word of marks only, its beginning, its end. */
export function edges(leading, trailing) {
  const first = inClass(leading);
  const last = inClass(trailing);
  const begins = `(?<![^${SPACES}])`;
  const ends = `(?![^${SPACES}])`;
  // JavaScript has no possessive quantifiers: a look-ahead that is repeated does not give back what it took.
  const only = `(?=([${first}${last}]+))\\1${ends}`;
  const opening = `(?=([${first}]+))\\2`;
  const closing = `(?<![${last}])(?=([${last}]+))\\3${ends}`;
  return new RegExp(`(?=[${first}${last}])(?:${begins}(?:${only}|${opening})|${closing})`, "gu");
}

/** Return a function that parts the marks from words; an opening mark gets U+2060 behind it, a closing one before. */
export function markEdges(leading, trailing) {
  const pattern = edges(leading, trailing);
  return (text) =>
    text.replaceAll(JOINER, "").replace(pattern, (match, only, opening) => {
      if (only !== undefined) {
        return Array.from(match).join(` ${JOINER}`);
      }
      return Array.from(match, (mark) => (opening === undefined ? ` ${JOINER}${mark}` : `${mark}${JOINER} `)).join("");
    });
}

/** Return `piece` as it is shown. */
export function withoutJoiners(piece) {
  return piece.replaceAll(JOINER, "");
}

/**
 * Return the `pieces` of a text that goes on without white space: if its last word is marks of `leading` only, they
 * are opening ones, unless `ids` (a Map) has the first one alone with a lower id.
 */
export function opened(pieces, leading, ids) {
  let at = pieces.length;
  for (let i = pieces.length - 1; i >= 0; i -= 1) {
    if (!pieces[i].startsWith(JOINER)) {
      at = i;
      break;
    }
  }
  const marks = pieces.slice(at).map((piece) => (piece.startsWith(JOINER) ? piece.slice(1) : piece));
  if (marks.length === 0 || !marks.every((mark) => leading.has(mark))) {
    return pieces;
  }
  if ((ids.get(marks[0]) ?? Infinity) < (ids.get(marks[0] + JOINER) ?? Infinity)) {
    return pieces;
  }
  return [...pieces.slice(0, at), ...marks.map((mark) => mark + JOINER)];
}
