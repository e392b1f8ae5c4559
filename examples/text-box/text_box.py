"""A text box that completes what you type: python text_box.py MODEL."""

import sys
import tkinter as tk
from functools import partial
from tkinter import ttk

from completing import Completing, Offer

import genrun

PAUSE = 30  # milliseconds without a key before suggestions are made


class TextBox(ttk.Frame):
    """Lines of text, and below them the suggestions for the line of the cursor, as a phone keyboard has them.

    Tab takes the first suggestion, Alt and a number any of them.
    """

    def __init__(self, window: tk.Misc, model: genrun.Model, most: int = 5) -> None:
        super().__init__(window, padding=8)
        self.completing = Completing(model, most)
        self.text = tk.Text(self, width=60, height=8, wrap="word", undo=True)
        self.buttons = [ttk.Button(self, command=partial(self.take, number)) for number in range(most)]
        self.remark = ttk.Label(self)
        self.waiting = ""  # the call that makes suggestions after a pause
        self._lay_out()
        self.text.bind("<KeyRelease>", self._changed)
        self.text.bind("<ButtonRelease>", self._changed)
        self.text.bind("<Tab>", partial(self._key, 0))
        for number in range(most):
            self.text.bind(f"<Alt-Key-{number + 1}>", partial(self._key, number))
        self.text.focus_set()
        self.look()

    def line(self) -> str:
        """Return the line of the cursor, up to the cursor."""
        return self.text.get("insert linestart", "insert")

    def look(self) -> None:
        """Show the suggestions for the line."""
        self.waiting = ""
        self.show(self.completing.look(self.line()))

    def show(self, offer: Offer) -> None:
        """Show these suggestions."""
        for number, button in enumerate(self.buttons):
            word = offer.words[number] if number < len(offer.words) else ""
            button.configure(text=word, state="normal" if word else "disabled")
        self.remark.configure(text=offer.remark)

    def take(self, number: int) -> None:
        """Put a suggestion into the text, and suggest what follows it."""
        if self.waiting:  # the suggestions are those of an older line
            self.after_cancel(self.waiting)
            self.look()
        if self.buttons[number].instate(["!disabled"]):
            line = self.completing.take(self.line(), number)
            self.text.replace("insert linestart", "insert", line)
            self.text.see("insert")
            self.text.focus_set()
            self.look()

    def _key(self, number: int, event: "tk.Event[tk.Misc]") -> str:
        self.take(number)
        return "break"  # the key does nothing else

    def _changed(self, event: "tk.Event[tk.Misc]") -> None:
        if self.waiting:
            self.after_cancel(self.waiting)
        self.waiting = self.after(PAUSE, self.look)

    def _lay_out(self) -> None:
        self.text.grid(row=0, columnspan=len(self.buttons), sticky="nsew")
        for number, button in enumerate(self.buttons):
            button.grid(row=1, column=number, sticky="ew", pady=8)
            self.columnconfigure(number, weight=1, uniform="suggestions")
        self.remark.grid(row=2, columnspan=len(self.buttons), sticky="w")
        self.rowconfigure(0, weight=1)
        self.pack(fill="both", expand=True)


def main(path: str) -> None:
    """Open a window for the model file at ``path``."""
    try:
        model = genrun.load(path)
    except genrun.GenrunError as error:
        sys.exit(f"error: {error}")
    window = tk.Tk()
    window.title(str(model.card.get("name", "genrun")))
    TextBox(window, model)
    window.mainloop()


if __name__ == "__main__":
    main(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
