// The text on the page: the prompt, and the new words as buttons that show what else was likely.

/** Shows a text in `place`; `chosen(before, piece)` is called for a word that is pointed at or reached by keys. */
export class WrittenText {
  constructor(place, chosen) {
    this._place = place;
    this._chosen = chosen;
    this._whole = "";
    this._words = [];
    place.addEventListener("keydown", (event) => this._move(event));
  }

  /** The whole text. */
  get text() {
    return this._whole;
  }

  /** Begin again with a prompt. */
  begin(prompt) {
    this._whole = prompt;
    this._words = [];
    this._place.replaceChildren(prompt);
  }

  /** Add a piece of new text. */
  add(piece) {
    const before = this._whole;
    this._whole += piece;
    const word = Object.assign(document.createElement("button"), { type: "button", textContent: piece });
    word.tabIndex = this._words.length === 0 ? 0 : -1; // one stop of the tab key; arrows go on from there
    const choose = () => this._choose(word, before, piece);
    word.addEventListener("focus", choose);
    word.addEventListener("pointerenter", choose);
    this._words.push(word);
    this._place.append(word);
  }

  /** Mark the characters from and up to which a run is copied; they count from the end of the prompt. */
  mark([from, to]) {
    const [prompt] = this._place.childNodes;
    if (from < 0 && prompt !== undefined) {
      const run = prompt.splitText(Math.max(prompt.length + from, 0));
      if (to < 0) {
        run.splitText(Math.max(run.length + to, 0));
      }
      const marked = Object.assign(document.createElement("mark"), { textContent: run.data });
      run.replaceWith(marked);
    }
    let at = 0;
    for (const word of this._words) {
      const end = at + word.textContent.length;
      word.classList.toggle("copied", at < to && end > from);
      at = end;
    }
  }

  _choose(word, before, piece) {
    for (const each of this._words) {
      each.setAttribute("aria-pressed", String(each === word));
    }
    this._chosen(before, piece);
  }

  _move(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    const at = this._words.indexOf(document.activeElement);
    if (step === undefined || at < 0) {
      return;
    }
    event.preventDefault();
    const next = this._words[Math.min(Math.max(at + step, 0), this._words.length - 1)];
    this._words[at].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
