import assert from "node:assert/strict";
import { test } from "node:test";
import { UnsupportedError } from "../src/errors.js";
import { TextStream } from "../src/generating/text-stream.js";
import { Tokenizer } from "../src/tokenizer/tokenizer.js";
import { recorded } from "./vectors.js";

for (const { name, tokenizer: document, texts, decoded } of recorded("tokenizers")) {
  const tokenizer = new Tokenizer(document);

  test(`${name}: texts have Python's ids, pieces and unknown words`, () => {
    for (const { text, refused, ...expected } of texts) {
      if (refused) {
        assert.throws(() => tokenizer.encodePrompt(text), { name: "PromptError" });
        continue;
      }
      const encoding = tokenizer.encodePrompt(text);
      const { finished, open } = tokenizer.openEnd(encoding);
      const { prompt, written, document: whole, ...rest } = expected;
      assert.deepEqual({ ...encoding, finished, open }, rest, JSON.stringify(text));
      const body = tokenizer.encode(text);
      const framed = [tokenizer.special("start"), ...body.ids, tokenizer.special("end")];
      assert.deepEqual(framed.filter((id) => id !== undefined), whole);
      for (const [casing, found] of Object.entries(written)) {
        assert.equal(tokenizer.decode(whole, casing), found);
        assert.equal(new TextStream(tokenizer, text, encoding, { casing }).promptText, prompt[casing]);
      }
    }
  });

  test(`${name}: ids are written piece by piece as in Python`, () => {
    for (const { casing, ids, pieces } of decoded) {
      const written = tokenizer.detokenizer(casing);
      const found = ids.map((token) => written.push(tokenizer.pieceToJoin(token, casing)));
      assert.deepEqual([...found, written.finish()], pieces);
    }
  });
}

test("what a newer genrun has made is refused by name", () => {
  const [{ tokenizer }] = recorded("tokenizers");
  const step = [{ step: "unheard_of" }];
  assert.throws(() => new Tokenizer({ ...tokenizer, version: 9 }), UnsupportedError);
  assert.throws(() => new Tokenizer({ ...tokenizer, kind: "syllable" }), /syllable/);
  assert.throws(() => new Tokenizer({ ...tokenizer, normalization: step }), /unheard_of/);
});

test("half a character in a prompt of subwords is refused", () => {
  const found = recorded("tokenizers").find(({ name }) => name === "subwords");
  assert.throws(() => new Tokenizer(found.tokenizer).encode("sea \ud800"), /half a character/);
});
