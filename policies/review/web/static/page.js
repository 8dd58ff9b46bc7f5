// What the page does without: keys for the decisions, and the number of the ticked ones.
"use strict";

(() => {
  const OFF = "ordito-keys-off";

  const byId = (id) => document.getElementById(id);

  const openAndFocus = (id) => {
    const details = byId(id);
    if (!details) return;
    details.open = true;
    details.querySelector("input:not([type=hidden])").focus();
  };

  const KEYS = {
    j: () => byId("next")?.click(),
    k: () => byId("previous")?.click(),
    a: () => byId("approve")?.requestSubmit(),
    r: () => openAndFocus("reject"),
    e: () => byId("edit")?.click(),
  };

  const isTyping = (element) => Boolean(element.closest("input, select, textarea"));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isTyping(event.target)) return;
    if (localStorage.getItem(OFF) === null && Object.hasOwn(KEYS, event.key)) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });

  // Single keys can be switched off: speech input and a resting hand would press them unmeant.
  const offerSwitch = () => {
    if (!byId("approve")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet keys";
    const label = () => {
      const on = localStorage.getItem(OFF) === null;
      button.textContent = on
        ? "Keys: a approve, r reject, e edit, j next, k previous. Switch them off"
        : "Switch the keys on";
    };
    button.addEventListener("click", () => {
      if (localStorage.getItem(OFF) === null) localStorage.setItem(OFF, "1");
      else localStorage.removeItem(OFF);
      label();
    });
    label();
    document.querySelector("article").append(button);
  };

  const countTicked = () => {
    const form = byId("together");
    if (!form) return;
    const show = () => {
      const ticked = form.querySelectorAll("input[type=checkbox]:checked").length;
      byId("ticked").textContent = ` (${ticked})`;
    };
    form.addEventListener("change", show);
    show();
  };

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  offerSwitch();
  countTicked();
})();
