/**
 * A menu of what can be done here. Arrows move, Enter takes, Escape and Tab close; the focus goes back
 * to where it was first, and only then the item acts, as its own link or button would.
 */

/** @typedef {{text: string, cap: string, act: () => void}} Item */

const GAP = 6;

/** @param {Element} anchor @param {string} label @param {Item[]} items */
export function openMenu(anchor, label, items) {
  new Menu(anchor, label, items).open();
}

class Menu {
  constructor(anchor, label, items) {
    this.anchor = anchor;
    this.before = document.activeElement;
    this.closed = false;
    this.box = document.createElement("div");
    this.box.className = "actions";
    this.box.setAttribute("role", "menu");
    this.box.setAttribute("aria-label", label);
    this.box.setAttribute("popover", "manual");
    this.box.append(...items.map((item) => this.button(item)));
    this.box.addEventListener("keydown", (event) => this.press(event));
    this.box.addEventListener("focusout", (event) => {
      if (!this.box.contains(event.relatedTarget)) this.close();
    });
  }

  /** @param {Item} item */
  button(item) {
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1;
    button.setAttribute("role", "menuitem");
    const text = document.createElement("span");
    text.textContent = item.text;
    button.append(text);
    if (item.cap) {
      const cap = document.createElement("kbd");
      cap.textContent = item.cap;
      cap.setAttribute("aria-hidden", "true");
      button.append(cap);
    }
    button.addEventListener("click", () => {
      this.close();
      item.act();
    });
    return button;
  }

  open() {
    document.getElementById("main").append(this.box);
    this.box.showPopover();
    this.place();
    this.box.firstElementChild?.focus({ preventScroll: true });
  }

  /** Below what it is about, or above where there is no room. */
  place() {
    const at = this.anchor.getBoundingClientRect();
    const own = this.box.getBoundingClientRect();
    const below = at.bottom + GAP;
    const top = below + own.height <= innerHeight ? below : at.top - own.height - GAP;
    const left = Math.min(at.left + 48, innerWidth - own.width - GAP);
    this.box.style.top = `${Math.max(GAP, top)}px`;
    this.box.style.left = `${Math.max(GAP, left)}px`;
  }

  /** @param {KeyboardEvent} event Nothing pressed here reaches the page. */
  press(event) {
    event.stopPropagation();
    const buttons = [...this.box.children];
    const here = buttons.indexOf(document.activeElement);
    const steps = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 };
    if (event.key in steps) buttons.at(steps[event.key] % buttons.length)?.focus();
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) this.find(event.key, here);
    else return;
    event.preventDefault();
  }

  /** Go to the next item that begins with a letter. @param {string} letter @param {number} here */
  find(letter, here) {
    const buttons = [...this.box.children];
    const round = [...buttons.slice(here + 1), ...buttons.slice(0, here + 1)];
    round.find((each) => each.textContent.toLowerCase().startsWith(letter.toLowerCase()))?.focus();
  }

  close() {
    if (this.closed) return; // taking it away takes the focus away, which closes it
    this.closed = true;
    const held = this.box.contains(document.activeElement);
    this.box.remove();
    if (held) this.before?.focus?.({ preventScroll: true });
  }
}
