import assert from "node:assert/strict";
import { test } from "node:test";
import { Candidates } from "../src/choosing/candidates.js";
import { make } from "../src/choosing/catalogue.js";
import { TrainingRuns } from "../src/originality/training-runs.js";
import { Tokenizer } from "../src/tokenizer/tokenizer.js";
import { recorded, tableModel } from "./vectors.js";

const { originality, lines, kinds, tokenizer: document } = recorded("originality");
const tokenizer = new Tokenizer(document);
const trainingRuns = new TrainingRuns(originality, tokenizer);
const NOTHING = { ids: [], pieces: [], unknown: [] };

/** Return the ids that a stage leaves out of the whole vocabulary. */
function leftOut(stage, state, size = tokenizer.size) {
  const { logits } = stage.apply(new Candidates(null, new Float32Array(size)), state);
  return [...logits.keys()].filter((id) => logits[id] === -Infinity);
}

test("what a text copies is what Python says", () => {
  for (const { ids, written, copied } of lines) {
    const { run, isLine, span } = trainingRuns.copied(NOTHING, ids, written);
    assert.deepEqual([run, isLine, span], copied, written);
  }
});

test("words that would copy one too many are left out as in Python", () => {
  for (const { ids, banned } of lines) {
    banned.forEach((expected, number) => {
      const stage = make("max-copied", { n: 4 + number }).bind({ trainingRuns });
      const state = stage.first([2, ...ids.slice(0, Math.floor((ids.length * 3) / 4))]);
      assert.deepEqual(leftOut(stage, state), expected);
    });
  }
});

test("documents of the training text are known as in Python, and do not end", () => {
  const stage = make("no-copied-line").bind({ trainingRuns, endIds: [3] });
  for (const { ids, known } of lines) {
    const state = stage.first([2, ...ids]);
    assert.deepEqual(leftOut(stage, state, 8), known ? [3] : []);
  }
});

test("documents of characters and subwords are known as in Python", () => {
  for (const kind of kinds) {
    const runs = new TrainingRuns(kind.originality, new Tokenizer(kind.tokenizer));
    const stage = make("no-copied-line").bind({ trainingRuns: runs, endIds: [3] });
    for (const { ids, known, written } of kind.lines) {
      assert.deepEqual(leftOut(stage, stage.first(ids), 8), known ? [3] : [], written);
      assert.equal(runs.copied(NOTHING, ids, written).isLine, known, written);
    }
  }
});

test("an end that is certain stays", () => {
  const stage = make("no-copied-line").bind({ trainingRuns, endIds: [3] });
  const certain = new Candidates(null, Float32Array.of(0, 0, 0, 9, 0));
  const { ids } = lines.find(({ known }) => known);
  assert.equal(stage.apply(certain, stage.first([2, ...ids])), certain);
});

test("maxCopied is the stage in front of the chain, also where the model has it", async () => {
  const { generation } = recorded("texts")[0];
  const own = { ...generation, decoder: "top-k", options: { k: 9, temperature: 2 } };
  const free = tableModel({ tokenizer: document, generation: own, originality });
  const limited = tableModel({ tokenizer: document, generation: { ...own, max_copied: 4 }, originality });
  const choices = { seed: 1, maxNewTokens: 40 };
  const stage = await free.generate("a", { ...choices, decoder: "max-copied:4,top-k:k=9;temperature=2" });
  assert.equal(await limited.generate("a", choices), stage);
  assert.equal(await free.generate("a", { ...choices, maxCopied: 4 }), stage);
  assert.equal(await limited.generate("a", { ...choices, maxCopied: 0 }), await free.generate("a", choices));
  const [{ copiedRun }] = await limited.generateMany(["a"], { ...choices, decoder: "draw" });
  assert.ok(copiedRun <= 4);
});

test("limits and models that the stage cannot keep are refused", () => {
  const without = tableModel(recorded("texts")[0]);
  assert.throws(() => make("max-copied", { n: 9 }).bind({ trainingRuns }), /must be from 4 to 7 for this model, not 9/);
  assert.throws(() => make("max-copied", { n: 0 }), /n must be 1 or more/);
  return assert.rejects(() => without.generate("the", { maxCopied: 4 }), /exported with originality/);
});
