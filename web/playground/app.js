// The playground: completes a text as it is typed, and writes on from it word by word.

import { choices, fillControls, link } from "./controls.js";
import { openLocal } from "./local-model.js";
import { openServer } from "./server-model.js";
import { WrittenText } from "./written-text.js";

const element = (id) => document.getElementById(id);
const prompt = element("prompt");
const REASONS = { end: "The model has ended the text.", length: "The text has reached its longest length." };
const PAUSE = 120; // milliseconds without a key before suggestions are made

let model;
let writing = null; // what stops the text that is being written
let lastSeed = "";
let asked = 0; // the number of the last question for suggestions

const text = new WrittenText(element("text"), (before, piece) => showCandidates(before, piece));

async function begin() {
  const { backend, model: file } = await (await fetch("playground.json")).json();
  const wanted = new URLSearchParams(location.hash.slice(1)).get("model");
  model = backend === "file" ? await openLocal(file) : await openServer(wanted);
  element("name").textContent = model.name;
  document.title = model.name;
  fillControls(model);
  element("status").textContent = "";
  element("write").disabled = false;
  prompt.addEventListener("input", debounced(showSuggestions));
  if (new URLSearchParams(location.hash.slice(1)).has("seed")) {
    await write(); // what a link shows comes before what may come next
  }
  await showSuggestions();
}

async function write() {
  writing?.abort();
  const own = new AbortController();
  writing = own;
  element("stop").disabled = false;
  element("about").textContent = "";
  showList(element("candidates"), []);
  element("candidates-heading").hidden = true;
  text.begin(prompt.value);
  try {
    const pieces = model.stream(prompt.value, { ...choices(model), signal: own.signal });
    let next = await pieces.next();
    while (!next.done && writing === own) {
      text.add(next.value);
      await new Promise((resolve) => setTimeout(resolve)); // the page stays alive between two words
      next = await pieces.next();
    }
    if (next.done) {
      finished(next.value);
    }
  } catch (error) {
    if (!own.signal.aborted) {
      element("about").textContent = error.message;
    }
  }
  if (writing === own) {
    writing = null;
    element("stop").disabled = true;
  }
}

function finished(found) {
  const { seed, finishReason, unknown } = found;
  lastSeed = seed;
  const missing = unknown.length > 0 ? `The model does not know: ${[...new Set(unknown)].join(", ")}. ` : "";
  element("about").textContent = `${missing}${REASONS[finishReason] ?? ""} ${originality(found)}Seed ${seed}.`;
  if (found.copied !== null) {
    text.mark(found.copied);
  }
  history.replaceState(null, "", link(seed));
}

function originality({ copiedRun, isTrainingLine }) {
  const line = isTrainingLine ? "All of it is a line of the training text. " : "";
  return copiedRun && !isTrainingLine ? `${copiedRun} words in a row are from the training text. ` : line;
}

function stop() {
  writing?.abort();
  writing = null;
  element("stop").disabled = true;
}

async function showSuggestions() {
  asked += 1;
  const own = asked;
  const { casing, labels } = choices(model);
  const found = await model.suggest(prompt.value, { n: 5, casing, labels }).catch(() => []);
  if (own !== asked) {
    return; // something else has been typed meanwhile
  }
  const buttons = found.map((suggestion) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: suggestion.text });
    button.addEventListener("click", () => accept(suggestion));
    return button;
  });
  showList(element("suggestions"), buttons);
}

function accept({ text: word, completes }) {
  const before = completes === "" ? prompt.value : prompt.value.slice(0, prompt.value.length - completes.length);
  const space = completes === "" && before !== "" && !/\s$/.test(before) ? " " : "";
  prompt.value = `${before}${space}${word} `;
  prompt.focus();
  prompt.setSelectionRange(prompt.value.length, prompt.value.length);
  showSuggestions();
}

async function showCandidates(before, piece) {
  const { casing, labels } = choices(model);
  const space = /^\s*/.exec(piece)[0];
  const found = await model.suggest(before + space, { n: 8, casing, labels }).catch(() => []);
  element("candidates-heading").hidden = found.length === 0;
  showList(
    element("candidates"),
    found.map(({ text: word, probability }) => `${word} ${(100 * probability).toFixed(1)} %`),
  );
}

function showList(list, entries) {
  list.replaceChildren(
    ...entries.map((entry) => {
      const item = document.createElement("li");
      item.append(entry);
      return item;
    }),
  );
}

function debounced(call) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, PAUSE);
  };
}

element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  write();
});
element("stop").addEventListener("click", stop);
element("model").addEventListener("change", ({ target }) => {
  location.hash = new URLSearchParams({ model: target.value, prompt: prompt.value });
  location.reload();
});
element("copy").addEventListener("click", async () => {
  const address = link(lastSeed);
  history.replaceState(null, "", address);
  const copied = await navigator.clipboard?.writeText(address).then(() => true, () => false);
  element("about").textContent = copied ? "The link is copied." : "The link is in the address line.";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    stop();
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && model !== undefined) {
    event.preventDefault();
    write();
  }
});
element("form").addEventListener("keydown", (event) => {
  const buttons = [...element("suggestions").querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  if (event.target === prompt && event.key === "ArrowDown" && prompt.selectionStart === prompt.value.length) {
    event.preventDefault();
    buttons[0]?.focus();
  } else if (at >= 0 && ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"].includes(event.key)) {
    event.preventDefault();
    const next = at + (event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : -1);
    (buttons[next] ?? prompt).focus();
  }
});

begin().catch((error) => {
  element("status").textContent = `The model cannot be opened: ${error.message}`;
});
