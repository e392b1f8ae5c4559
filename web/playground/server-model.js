// The back end of the page of `genrun serve`: the model is run by the server.

/** Ask the server of the page for its model `wanted`, or its first one. */
export async function openServer(wanted) {
  const { data } = await ask("v1/models");
  const { id: model, genrun: about } = data.find(({ id }) => id === wanted) ?? data[0];
  return {
    name: model,
    others: data.map(({ id }) => id),
    decoder: about.decoder,
    casing: about.casing,
    length: about.max_new_tokens,
    labels: about.labels,
    constraints: true,
    suggest: async (text, { n, casing, labels }) => {
      const found = await ask("v1/suggest", { model, text, n, casing, labels });
      return found.suggestions;
    },
    stream: (prompt, choices) => stream(model, prompt, choices),
  };
}

/** Yield pieces of text, and return what is known of the text; with a constraint, all comes at once. */
async function* stream(model, prompt, { seed: given, maxNewTokens, decoder, casing, labels, constraint, signal }) {
  const whole = constraint !== undefined;
  const seed = given === "" ? freshSeed() : given;
  const body = { model, prompt, max_tokens: maxNewTokens, decoder, casing, labels, constraint, stream: !whole };
  const response = await post("v1/completions", { ...body, seed }, signal);
  let text = "";
  let about = {};
  for await (const { choices } of whole ? [await response.json()] : events(response)) {
    for (const choice of choices) {
      about = choice.genrun ?? about;
      text += choice.text;
      yield* whole ? choice.text.match(/\s*\S+|\s+$/g) ?? [] : [choice.text].filter(Boolean);
    }
  }
  return {
    seed,
    finishReason: about.finish_reason,
    unknown: about.unknown,
    copiedRun: about.copied_run,
    isTrainingLine: about.is_training_line,
    copied: about.copied_span === null ? null : about.copied_span.map((at) => units(prompt, text, at)),
  };
}

/** Return a seed as text. The server would choose one of 64 bits, which JSON does not bring to JavaScript exactly. */
function freshSeed() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return String((BigInt(high) << 32n) | BigInt(low));
}

/** Return where character `at` of `text` is in it, in the units of JavaScript; before 0, in the `prompt`. */
function units(prompt, text, at) {
  const between = at < 0 ? Array.from(prompt).slice(at) : Array.from(text).slice(0, at);
  return Math.sign(at) * between.join("").length;
}

async function ask(path, body) {
  const response = body === undefined ? await checked(await fetch(path)) : await post(path, body);
  return response.json();
}

async function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  const { seed, ...rest } = body;
  const text = JSON.stringify(rest);
  // A seed has up to 64 bits, more than a number of JavaScript: it is written as it is.
  const whole = seed === undefined ? text : `${text.slice(0, -1)},"seed":${BigInt(seed)}}`;
  return checked(await fetch(path, { method: "POST", headers, body: whole, signal }));
}

async function checked(response) {
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new Error(answer.error?.message ?? `the server answers ${response.status}`);
  }
  return response;
}

/** Yield the objects of a stream of server-sent events. */
async function* events(response) {
  let held = "";
  for await (const text of parts(response.body.pipeThrough(new TextDecoderStream()))) {
    const lines = (held + text).split("\n");
    held = lines.pop();
    for (const line of lines.map((each) => each.trim()).filter((each) => each.startsWith("data:"))) {
      const data = line.slice("data:".length).trim();
      if (data !== "[DONE]") {
        const event = JSON.parse(data);
        if (event.error) {
          throw new Error(event.error.message);
        }
        yield event;
      }
    }
  }
}

/** Yield what a stream gives: not every browser can iterate over one. */
async function* parts(stream_) {
  const reader = stream_.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    yield part.value;
  }
}
