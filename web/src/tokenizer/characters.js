// Properties of characters as Python has them, where JavaScript differs.

// What str.isspace and \s of Python mean: JavaScript counts U+FEFF too, and not U+001C to U+001F and U+0085.
export const SPACES = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const SPACE = new RegExp(`^[${SPACES}]+$`, "u");
const RUNS = new RegExp(`[${SPACES}]+`, "u");
const LEADING = new RegExp(`^[${SPACES}]+`, "u");
const TRAILING = new RegExp(`[${SPACES}]+$`, "u");
const LETTER = /\p{L}/u;
const LETTER_OR_NUMBER = /[\p{L}\p{N}]/u;
const ONLY_LETTERS_OR_NUMBERS = /^[\p{L}\p{N}]+$/u;

/** Return whether all characters of `text` are white space, and there is one. */
export function isSpace(text) {
  return SPACE.test(text);
}

/** Return the words between the white space of `text`. */
export function words(text) {
  return text.split(RUNS).filter((word) => word !== "");
}

/** Return `text` without white space at its beginning. */
export function trimStart(text) {
  return text.replace(LEADING, "");
}

/** Return `text` without white space at its end. */
export function trimEnd(text) {
  return text.replace(TRAILING, "");
}

/** Return whether `text` has a letter. */
export function hasLetter(text) {
  return LETTER.test(text);
}

/** Return whether `text` has a letter or a number. */
export function hasLetterOrNumber(text) {
  return LETTER_OR_NUMBER.test(text);
}

/** Return whether `text` is letters and numbers only, and not empty. */
export function isAlphanumeric(text) {
  return ONLY_LETTERS_OR_NUMBERS.test(text);
}

/** Return the number of characters (code points) of `text`. */
export function length(text) {
  let count = 0;
  for (const _ of text) {
    count += 1;
  }
  return count;
}

/** Return `characters` as the inside of a class of a regular expression. */
export function inClass(characters) {
  return Array.from(characters, (character) => `\\u{${character.codePointAt(0).toString(16)}}`).join("");
}

/** Return `text` with its first character in title case. */
export function capitalized(text) {
  const [first = ""] = text;
  return titleCharacter(first) + text.slice(first.length);
}

// Georgian has capital letters, but none in title case.
const UNCASED = /[\u10d0-\u10fa\u10fd-\u10ff]/u;

/** Return one character in title case, as Unicode and Python define it: ǆ becomes ǅ, ß becomes Ss. */
export function titleCharacter(character) {
  const special = TITLES.get(character);
  if (special !== undefined) {
    return special;
  }
  return UNCASED.test(character) ? character : character.toUpperCase();
}

const TITLES = new Map([
  ["ß", "Ss"], ["և", "Եւ"], ["ﬀ", "Ff"], ["ﬁ", "Fi"], ["ﬂ", "Fl"], ["ﬃ", "Ffi"], ["ﬄ", "Ffl"], ["ﬅ", "St"], ["ﬆ", "St"],
  ["ﬓ", "Մն"], ["ﬔ", "Մե"], ["ﬕ", "Մի"], ["ﬖ", "Վն"], ["ﬗ", "Մխ"],
  ["Ǆ", "ǅ"], ["ǅ", "ǅ"], ["ǆ", "ǅ"], ["Ǉ", "ǈ"], ["ǈ", "ǈ"], ["ǉ", "ǈ"], ["Ǌ", "ǋ"], ["ǋ", "ǋ"], ["ǌ", "ǋ"],
  ["Ǳ", "ǲ"], ["ǲ", "ǲ"], ["ǳ", "ǲ"],
  // Greek letters with a iota below, which stands beside a letter in upper case.
  ["\u1fb2", "\u1fba\u0345"], ["\u1fb4", "\u0386\u0345"], ["\u1fb7", "\u0391\u0342\u0345"],
  ["\u1fc2", "\u1fca\u0345"], ["\u1fc4", "\u0389\u0345"], ["\u1fc7", "\u0397\u0342\u0345"],
  ["\u1ff2", "\u1ffa\u0345"], ["\u1ff4", "\u038f\u0345"], ["\u1ff7", "\u03a9\u0342\u0345"],
  ["\u1fb3", "\u1fbc"], ["\u1fbc", "\u1fbc"], ["\u1fc3", "\u1fcc"], ["\u1fcc", "\u1fcc"], ["\u1ff3", "\u1ffc"],
  ["\u1ffc", "\u1ffc"],
  ...Array.from({ length: 48 }, (_, at) => [String.fromCharCode(0x1f80 + at), String.fromCharCode(0x1f88 + (at & ~8))]),
]);
