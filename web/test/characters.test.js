import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, wordsOf } from "../src/originality/plain-words.js";
import { hasLetter, isAlphanumeric, isSpace, titleCharacter } from "../src/tokenizer/characters.js";
import { recorded } from "./vectors.js";

const { spaces, titles, alphanumeric, letters, words, folded: without } = recorded("characters");
const every = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((c) => c.isWellFormed());

test("white space is what it is in Python", () => {
  assert.equal(every.filter(isSpace).join(""), spaces);
});

test("a character in title case is what it is in Python", () => {
  const others = every.filter((character) => titleCharacter(character) !== character.toUpperCase());
  assert.deepEqual(Object.fromEntries(others.map((each) => [each, titleCharacter(each)])), titles);
});

test("letters and numbers are what they are in Python", () => {
  const early = every.slice(0, 0x530);
  assert.equal(early.filter(isAlphanumeric).join(""), alphanumeric);
  assert.equal(early.filter(hasLetter).join(""), letters);
});

test("the words that texts are compared by are what they are in Python", () => {
  for (const [text, expected] of words) {
    assert.deepEqual(wordsOf(text), expected);
  }
  assert.equal(every.slice(0, 0x530).map(folded).join(""), without);
});
