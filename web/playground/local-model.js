// The back end of a page without a server: the model file is run by the page itself.

/** Open the model file at `address`; the runtime lies beside the page. */
export async function openLocal(address) {
  const [{ load }, ort, bytes] = await Promise.all([import("./genrun/index.js"), openRuntime(), read(address)]);
  const model = await load(bytes, { ort, warn: () => {} });
  const { decoder } = model.defaults;
  const name = model.card.recipe ?? address;
  return {
    name,
    others: [name],
    decoder: typeof decoder === "string" ? decoder : decoder.map((stage) => stage.name).join(", "),
    casing: model.defaults.casing,
    length: model.defaults.max_new_tokens,
    labels: model.labels,
    constraints: false,
    suggest: (text, choices) => model.suggest(text, choices),
    stream: (prompt, choices) => stream(model, prompt, choices),
  };
}

/** Return onnxruntime-web, which compiles its WebAssembly while the rest of the page is loaded. */
async function openRuntime() {
  const ort = await import("./onnxruntime/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1; // more threads need headers that a plain web host does not send
  ort.env.logLevel = "fatal";
  // Only a session makes it begin. This one is empty, which is an error after the WebAssembly is ready.
  ort.InferenceSession.create(new Uint8Array(1)).catch(() => {});
  return ort;
}

async function read(address) {
  const response = await fetch(address);
  if (!response.ok) {
    throw new Error(`${address} cannot be fetched: ${response.status} ${response.statusText}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** Yield pieces of text; return what is known of the text. `copied` counts from the end of the prompt. */
async function* stream(model, prompt, { seed, ...choices }) {
  const given = seed === "" ? {} : { seed: BigInt(seed) };
  const result = yield* model.stream(prompt, { ...choices, ...given });
  const begun = result.text.length - result.continuation.length;
  return {
    ...result,
    seed: String(result.seed),
    copied: result.copiedSpan === null ? null : result.copiedSpan.map((at) => at - begun),
  };
}
