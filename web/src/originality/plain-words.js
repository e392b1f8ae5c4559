// The one form in which texts are compared: their words, without marks and without regard to case.

import { SPACES } from "../tokenizer/characters.js";

const MARKS =
  "!-\\/:-@\\[-`\\{-~¡«·»¿।॥\\u2010-\\u2027\\u2030-\\u205e" +
  "\\u3000-\\u303f\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65";
// Scripts without spaces between words: Thai and Lao, Myanmar, Khmer, kana, Chinese characters.
const UNSPACED =
  "\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3041-\\u30ff" +
  "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
const SPACED = `[^${SPACES}${MARKS}${UNSPACED}]+`;
const WORD = new RegExp(`[${UNSPACED}]|${SPACED}(?:['’]${SPACED})*`, "gu");

/** Return the words of `text`: without case and punctuation, with apostrophes inside a word as '. */
export function wordsOf(text) {
  return folded(text).replaceAll("’", "'").match(WORD) ?? [];
}

/** Return each word of `text`, as `wordsOf` has it, with the units `from` and up `to` which it stands. */
export function wordSpans(text) {
  return Array.from(text.matchAll(WORD), ({ 0: word, index }) => ({
    word: folded(word).replaceAll("’", "'"),
    from: index,
    to: index + word.length,
  }));
}

/** Return `text` composed (NFC) and without case, as Python's casefold has it. */
export function folded(text) {
  return Array.from(text.normalize("NFC"), foldedCharacter).join("");
}

// Cherokee folds to its upper case, and a dotless i stays what it is.
const UPPER = /[\u13a0-\u13f5]/u;
const SMALL_CHEROKEE = /[\u13f8-\u13fd\uab70-\uabbf]/u;

function foldedCharacter(character) {
  if (character === "ı" || UPPER.test(character)) {
    return character;
  }
  if (SMALL_CHEROKEE.test(character)) {
    return character.toUpperCase();
  }
  return character.toLowerCase().toUpperCase().toLowerCase();
}
