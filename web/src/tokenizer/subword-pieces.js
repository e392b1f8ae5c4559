// Cuts a text into the pieces that subwords are parts of: words with the space before them, marks, line breaks.
// The ranges are the rules of the model file's format, whatever Unicode says of a character.

const ASCII_MARKS = "\\x00-\\x09\\x0b\\x0c\\x0e-\\x1f!-\\/:-@\\[-`\\{-\\x7f";
// Marks and symbols outside ASCII.
const MARKS =
  "\\x80-\\xa9\\xab-\\xb4\\xb6-\\xb9\\xbb-\\xbf\\xd7\\xf7" +
  "\\u037e\\u0387\\u055a-\\u055f\\u0589\\u058a\\u05be\\u05c0\\u05c3\\u05c6\\u05f3\\u05f4" +
  "\\u0600-\\u060f\\u061b-\\u061f\\u066a-\\u066d\\u06d4\\u06dd\\u0700-\\u070d\\u0964\\u0965\\u0970" +
  "\\u0e3f\\u0e4f\\u0e5a\\u0e5b\\u0f04-\\u0f14\\u0f3a-\\u0f3d\\u104a-\\u104f\\u10fb\\u1360-\\u1368\\u1680\\u169b\\u169c\\u16eb-\\u16ed" +
  "\\u17d4-\\u17db\\u1800-\\u180a\\u2000-\\u200b\\u200e-\\u206f\\u20a0-\\u20cf\\u2190-\\u2bff\\u2e00-\\u2e7f" +
  "\\u3000-\\u3004\\u3008-\\u3020\\u3030\\u303d-\\u303f\\u30a0\\u30fb" +
  "\\ufe10-\\ufe1f\\ufe30-\\ufe6f\\uff00-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65\\uffe0-\\uffff" +
  "\\u{1f000}-\\u{1faff}";
// Letters of scripts that are written without spaces: Thai, Lao, Burmese, Khmer, Chinese, Japanese.
const SPACELESS =
  "\\u0e01-\\u0e3e\\u0e40-\\u0e4e\\u0e50-\\u0e59\\u0e81-\\u0eff\\u1000-\\u1049\\u1050-\\u109f\\u1780-\\u17d3\\u17dc-\\u17ff" +
  "\\u2e80-\\u2fff\\u3005-\\u3007\\u3021-\\u302f\\u3031-\\u303c\\u3041-\\u309f\\u30a1-\\u30fa\\u30fc-\\u312f\\u3190-\\ua4cf" +
  "\\uf900-\\ufaff\\uff10-\\uff19\\uff21-\\uff3a\\uff41-\\uff5a\\uff66-\\uff9f\\u{1aff0}-\\u{1b16f}\\u{20000}-\\u{3ffff}";
const WIDE_MARKS = "\\u3000-\\u303f\\u30a0\\u30fb\\ufe30-\\ufe4f\\uff00-\\uffef";
// Joiners and variants of the character before, also of a mark: an emoji may be several characters.
const JOINERS = "\\u200c\\u200d\\ufe00-\\ufe0f\\u{e0000}-\\u{e0fff}";

const WORD = `[^${ASCII_MARKS}\\n\\r 0-9${MARKS}${SPACELESS}]`;
const LETTER = "x"; // of a word

const PIECES = new RegExp(
  [
    ` ?${WORD}+(?:['’]${WORD}+)*`, // don’t is one word
    ` ?[${SPACELESS}][${SPACELESS}${JOINERS}]*`,
    " ?[0-9]+",
    ` ?[${ASCII_MARKS}${MARKS}][${ASCII_MARKS}${MARKS}${JOINERS}]*`,
    "\\r?\\n|\\r",
    " +(?= )| ", // the last one of several spaces belongs to what follows
  ].join("|"),
  "gu",
);
// A line begins at the beginning of the text and after \\n, but for JavaScript's ^ after other characters too.
const LINE_STARTS = new RegExp(`(?<![^\\n])(?=[^\\r\\n${SPACELESS}${WIDE_MARKS}])`, "gu");

/** Return the pieces of `text`, which join to it. */
export function cut(text) {
  return text.match(PIECES) ?? [];
}

/** Return `text` with a space at the beginning of each line, so that its first word is like any other. */
export function withLineStarts(text) {
  return text.replace(LINE_STARTS, " ");
}

/** Return `text` without one space at the beginning of each line; `atStart`: it begins a line. */
export function withoutLineStarts(text, atStart) {
  return (atStart && text.startsWith(" ") ? text.slice(1) : text).replaceAll("\n ", "\n");
}

/** Return the finished ones of `pieces`, and the last one, which further text may belong to. */
export function openPiece(pieces) {
  const before = pieces.slice(0, -2);
  const finished = cut(pieces.slice(-2).join("") + LETTER);
  const last = finished.pop();
  const opened = last.endsWith(LETTER) ? last.slice(0, -LETTER.length) : last;
  if (opened === "") {
    // A letter would not join the last piece; another mark or digit might.
    const end = finished.pop() ?? "";
    return [[...before, ...finished], end];
  }
  return [[...before, ...finished], opened];
}
