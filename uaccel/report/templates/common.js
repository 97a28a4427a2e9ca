// SPDX-License-Identifier: GPL-2.0-only
// What every page has.  Text becomes text nodes and nothing else: no string is ever read as HTML.
"use strict";

const content = JSON.parse(document.getElementById("content").textContent);

const part = (id) => document.getElementById(id);

// An element with attributes and children; a string among the children is text.
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function many(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function chooseTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    const chosen = button.dataset.themeChoice === theme;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
}

// A page that was opened from a file may have no storage: then the choice lasts as long as the page.
function remembered() {
  try {
    return localStorage.getItem("uaccel-theme") || "";
  } catch {
    return "";
  }
}

function remember(theme) {
  try {
    localStorage.setItem("uaccel-theme", theme);
  } catch {
    // as above
  }
}

function startThemes() {
  const buttons = [...document.querySelectorAll("[data-theme-choice]")];
  const pick = (button) => {
    chooseTheme(button.dataset.themeChoice);
    remember(button.dataset.themeChoice);
    button.focus();
  };
  const turn = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  buttons.forEach((button, at) => {
    button.addEventListener("click", () => pick(button));
    button.addEventListener("keydown", (event) => {
      if (!(event.key in turn)) return;
      event.preventDefault();
      pick(buttons[(at + turn[event.key] + buttons.length) % buttons.length]);
    });
  });
  chooseTheme(["light", "dark"].includes(remembered()) ? remembered() : "");
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without a clipboard the text is selected: the keyboard does the rest.
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

// What a link leads to may lie in something that is shut.
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) {
    if (at.tagName === "DETAILS") at.open = true;
  }
  target.scrollIntoView();
}

// On a narrow page the contents would push everything else off the screen.
function foldContents() {
  const contents = document.querySelector(".contents details");
  if (contents && matchMedia("(max-width: 1099px)").matches) contents.open = false;
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  select.value = String(chosen);
}

startThemes();
foldContents();
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button));
}
addEventListener("hashchange", unfold);
if (location.hash) unfold();
