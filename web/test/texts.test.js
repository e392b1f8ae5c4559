import assert from "node:assert/strict";
import { test } from "node:test";
import { recorded, tableModel } from "./vectors.js";

const NAMES = { max_new_tokens: "maxNewTokens" };

function choicesOf({ call, labels }) {
  const { k, ...others } = call;
  const choices = { labels, ...(k === undefined ? {} : { options: { k } }) };
  for (const [name, value] of Object.entries(others)) {
    choices[NAMES[name] ?? name] = value;
  }
  return choices;
}

for (const each of recorded("texts")) {
  const model = tableModel(each);

  test(`${each.name}: texts are those of Python`, async () => {
    for (const call of each.calls) {
      const found = await model.generateMany(call.prompts, choicesOf(call));
      const kept = found.map(({ prompt, text, continuation, ids, finishReason, unknown, sample }) => {
        return { prompt, text, continuation, ids, finish_reason: finishReason, unknown, sample };
      });
      assert.deepEqual(kept, call.results);
    }
  });

  test(`${each.name}: streamed pieces join to the continuation`, async () => {
    for (const call of each.calls) {
      const { n, ...choices } = choicesOf(call);
      for (const { prompt, sample, text, continuation } of call.results.filter((result) => result.sample === 0)) {
        const pieces = [];
        const stream = model.stream(prompt, choices);
        let step = await stream.next();
        for (; !step.done; step = await stream.next()) {
          pieces.push(step.value);
        }
        assert.equal(pieces.join(""), continuation);
        assert.equal(step.value.text, text);
        assert.equal(await model.generate(prompt, choices), text);
        assert.equal(sample, 0);
      }
    }
  });

  test(`${each.name}: suggestions are those of Python`, async () => {
    const typing = model.typing();
    for (const { text, refused, end, found } of each.suggestions) {
      if (refused) {
        await assert.rejects(() => model.suggest(text), { name: "PromptError" });
        continue;
      }
      for (const suggested of [await model.suggest(text, { n: 4, end }), await typing.suggest(text, { n: 4, end })]) {
        assert.deepEqual(suggested.map(({ text: word, id, completes }) => [word, id, completes]), found, text);
      }
    }
  });

  test(`${each.name}: scores are those of Python`, async () => {
    for (const { text, log_probability: expected } of each.scores) {
      const { logProbability } = await model.score(text);
      assert.ok(Math.abs(logProbability - expected) < 0.002, `${logProbability} is not ${expected}`);
    }
  });
}

test("choices that JavaScript does not have are refused by name", async () => {
  const model = tableModel(recorded("texts")[0]);
  await assert.rejects(() => model.generate("the", { constraint: "words:6" }), /'constraint' has no JavaScript form/);
  await assert.rejects(() => model.generate("the", { beam: 4 }), /'beam' has no JavaScript form/);
  await assert.rejects(() => model.generate("the", { temperture: 4 }), /no choice "temperture"/);
  await assert.rejects(() => model.generate("the", { labels: { author: "Burns" } }), /no label "author"/);
  await assert.rejects(() => model.generate("the", { maxNewTokens: 0 }), /maxNewTokens must be/);
});

test("a text stops when its signal is aborted", async () => {
  const model = tableModel(recorded("texts")[0]);
  const controller = new AbortController();
  const pieces = model.stream("the", { seed: 1, decoder: "greedy", maxNewTokens: 1_000, signal: controller.signal });
  await pieces.next();
  controller.abort();
  await assert.rejects(() => pieces.next(), { name: "AbortError" });
});
