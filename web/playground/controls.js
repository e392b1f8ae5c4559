// The controls of the page: what they say, as choices of a call and as a link.

const element = (id) => document.getElementById(id);
const CASINGS = ["none", "corpus", "title", "sentence", "upper"];
const FIELDS = ["model", "prompt", "seed", "length", "casing", "chain", "constraint", "temperature", "top-k", "top-p", "min-p"];

/** Fill the controls with what the model has by itself, and then with what the address says. */
export function fillControls(model) {
  element("own-decoder").textContent = model.decoder;
  element("casing").replaceChildren(...CASINGS.map((name) => new Option(name, name, false, name === model.casing)));
  element("length").value = model.length;
  element("constraint-row").hidden = !model.constraints;
  element("model-row").hidden = model.others.length < 2;
  if (model.others.length > 1) {
    element("model").replaceChildren(...model.others.map((name) => new Option(name, name, false, name === model.name)));
  }
  for (const [name, values] of Object.entries(model.labels)) {
    const label = Object.assign(document.createElement("label"), { htmlFor: `label.${name}`, textContent: name });
    const select = Object.assign(document.createElement("select"), { id: `label.${name}` });
    select.append(new Option("any", ""), ...values.map((value) => new Option(value, value)));
    element("labels").append(label, select);
  }
  readLink(new URLSearchParams(location.hash.slice(1)));
  element("choices").addEventListener("input", showValues);
  showValues();
}

/** Return the choices of a call. */
export function choices(model) {
  const labels = Object.fromEntries(Object.keys(model.labels).map((name) => [name, element(`label.${name}`).value]));
  const constraint = element("constraint").value.trim();
  return {
    seed: element("seed").value.trim(),
    maxNewTokens: Number(element("length").value),
    casing: element("casing").value,
    labels,
    ...(element("own").checked ? {} : { decoder: chain() }),
    ...(model.constraints && constraint !== "" ? { constraint } : {}),
  };
}

/** Return the address of the page with all that makes the text again. */
export function link(seed) {
  const found = new URLSearchParams();
  for (const id of FIELDS.filter((field) => element(field).value !== "")) {
    found.set(id, element(id).value);
  }
  for (const select of element("labels").querySelectorAll("select")) {
    found.set(select.id, select.value);
  }
  if (element("own").checked) {
    ["chain", "temperature", "top-k", "top-p", "min-p"].forEach((id) => found.delete(id));
  }
  if (seed) {
    found.set("seed", seed);
  }
  return `${location.href.split("#")[0]}#${found}`;
}

/** Return the chain that the sliders stand for. */
function chain() {
  const written = element("chain").value.trim();
  if (written !== "") {
    return written;
  }
  const value = (id) => Number(element(id).value);
  const stages = [
    [value("top-k") > 0, `top-k:${value("top-k")}`],
    [value("top-p") < 1, `top-p:${value("top-p")}`],
    [value("min-p") > 0, `min-p:${value("min-p")}`],
    [value("temperature") > 0, `temperature:${value("temperature")}`],
    [value("temperature") === 0, "greedy"],
  ];
  return stages.filter(([used]) => used).map(([, stage]) => stage).join(",");
}

function readLink(given) {
  for (const [id, value] of [...given].filter(([name]) => name !== "model")) {
    const known = FIELDS.includes(id) || element("labels").contains(element(id));
    if (known) {
      element(id).value = value;
    }
  }
  element("own").checked = !["chain", "temperature"].some((id) => given.has(id));
}

function showValues() {
  element("sliders").disabled = element("own").checked;
  for (const output of document.querySelectorAll("output")) {
    output.textContent = element(output.htmlFor.value).value;
  }
}
