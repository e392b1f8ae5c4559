import assert from "node:assert/strict";
import { test } from "node:test";
import { NAMES } from "../src/choosing/catalogue.js";
import { makeChain } from "../src/choosing/chain.js";
import { Draws } from "../src/generating/random/draws.js";
import { TrainingRuns } from "../src/originality/training-runs.js";
import { Tokenizer } from "../src/tokenizer/tokenizer.js";
import { logitsAfter, recorded } from "./vectors.js";

const { cases, tokenizer: document } = recorded("chains");
const tokenizer = new Tokenizer(document);

function chosen({ chain: text, size, prompt, ids: expected }) {
  const vocabulary = {
    words: tokenizer.vocabulary.slice(0, size),
    endIds: [3],
    trainingRuns: new TrainingRuns({ shortest: 5, longest: 5, runs: 0, buckets: 0, table: "" }, tokenizer),
    encodings: (phrase) => [tokenizer.encode(phrase).ids],
  };
  const chain = makeChain(text).bind(vocabulary);
  const draws = new Draws(11n, 0, prompt);
  const tokens = [...prompt];
  let states = chain.first(prompt);
  for (const _ of expected) {
    const logits = logitsAfter(tokens.at(-1), size).fill(-Infinity, 0, 3);
    const next = chain.choose(logits, tokens, states, draws.next());
    tokens.push(next.token);
    states = next.states;
  }
  return tokens.slice(prompt.length);
}

for (const each of cases) {
  test(`${each.chain} of ${each.size} tokens chooses as in Python`, () => {
    assert.deepEqual(chosen(each), each.ids);
  });
}

test("every decoder is among the recorded chains", () => {
  const text = cases.map(({ chain }) => chain).join();
  assert.deepEqual(NAMES.filter((name) => !text.includes(name)), []);
});

test("a list of objects and texts is the chain that is written as text", () => {
  const parts = [{ name: "min-p", options: { p: 0.1 } }, "temperature:0.8"];
  const list = makeChain(parts);
  const text = makeChain("min-p:0.1,temperature:0.8");
  const logits = logitsAfter(1, 300);
  for (const draw of [0, 0.25, 0.5, 0.99]) {
    assert.equal(list.choose(logits, [1], list.first([1]), draw).token, text.choose(logits, [1], text.first([1]), draw).token);
  }
});

for (const [chain, message] of [
  ["someone:invention", /has no JavaScript form/],
  ["top-k:0", /k must be 1 or more/],
  ["top-k:x", /k must be a whole number/],
  ["top-k:5;size=3", /no option "size"/],
  ["greedy,top-k", /chooses, so it must be the last/],
  ["min-p:0.1:2", /a colon stands/],
  ["min-p:", /a value is missing/],
  ['banned:phrases=["a"', /brackets do not match/],
  ["", /has no JavaScript form/],
]) {
  test(`the chain '${chain}' is refused`, () => assert.throws(() => makeChain(chain), message));
}
