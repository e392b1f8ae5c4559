// The back end of a page without a server: the model file is run by the page itself.

/** Open the model file at `address`; the runtime lies beside the page. */
export async function openLocal(address) {
  const [{ load }, ort] = await Promise.all([
    import("./genrun/index.js"),
    import("./onnxruntime/ort.wasm.min.mjs"),
  ]);
  ort.env.wasm.numThreads = 1; // more threads need headers that a plain web host does not send
  const model = await load(new URL(address, document.baseURI), { ort, warn: () => {} });
  const { decoder } = model.defaults;
  const constraints = false;
  return {
    name: model.card.recipe ?? address,
    decoder: typeof decoder === "string" ? decoder : decoder.map((stage) => stage.name).join(", "),
    casing: model.defaults.casing,
    length: model.defaults.max_new_tokens,
    labels: model.labels,
    constraints,
    suggest: (text, choices) => model.suggest(text, choices),
    stream: (prompt, choices) => stream(model, prompt, choices),
  };
}

/** Yield pieces of text; return the seed, why the text ended, and the unknown words of the prompt. */
async function* stream(model, prompt, { seed, ...choices }) {
  const given = seed === "" ? {} : { seed: BigInt(seed) };
  const { seed: used, finishReason, unknown } = yield* model.stream(prompt, { ...choices, ...given });
  return { seed: String(used), finishReason, unknown };
}
