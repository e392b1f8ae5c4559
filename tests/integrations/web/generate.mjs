// Generates the texts of jobs, a JSON file: for each its model file, prompts and choices; writes lists of results.

import { readFile, writeFile } from "node:fs/promises";
import { load } from "../../../web/src/index.js";

const [, , jobs, results] = process.argv;
const models = new Map();
const found = [];
for (const { model, prompts, choices } of JSON.parse(await readFile(jobs, "utf-8"))) {
  if (!models.has(model)) {
    models.set(model, await load(model));
  }
  const made = await models.get(model).generateMany(prompts, choices);
  found.push(made.map((result) => ({ ...result, seed: Number(result.seed) })));
}
await writeFile(results, JSON.stringify(found));
