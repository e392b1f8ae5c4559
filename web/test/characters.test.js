import assert from "node:assert/strict";
import { test } from "node:test";
import { hasLetter, isAlphanumeric, isSpace, titleCharacter } from "../src/tokenizer/characters.js";
import { recorded } from "./vectors.js";

const { spaces, titles, alphanumeric, letters } = recorded("characters");
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
