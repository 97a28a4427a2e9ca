// SPDX-License-Identifier: GPL-2.0-only
// Source and assembly together: what is shown, what lights up, what is pinned.

const view = { function: 0, arch: 0, source: 0, styles: new Set(), whole: false };
const lit = { hovered: "", pinned: "" };
const NARROW = matchMedia("(max-width: 899px)");

function codesOf(functionAt, arch) {
  return content.codes.filter((code) => code.f === functionAt && code.a === arch);
}

function shownCodes() {
  return codesOf(view.function, view.arch).filter((code) => view.styles.has(code.s));
}

function passagesOf(functionAt) {
  return content.passages.filter((passage) => passage.f === functionAt);
}

// Which accesses a line of the source serves, from the code that the compiler tied to it.  Where
// user memory is reached from it, only those: compilers put what comes between two there as well.
function keysByLine(code) {
  const found = new Map();
  const reached = new Map();
  if (!code) return found;
  code.line.forEach((line, at) => {
    const key = keyAt(code, at);
    if (!line || !key) return;
    for (const known of code.flags[at] & TOUCHES ? [found, reached] : [found]) {
      if (!known.has(line)) known.set(line, new Set());
      known.get(line).add(key);
    }
  });
  return new Map([...found, ...reached]);
}

function standing() {
  // The passages are of what styles write; the code of any other style is how it stands.
  const written = new Set(passagesOf(view.function).map((passage) => passage.s));
  return codesOf(view.function, view.arch).find((code) => !written.has(code.s));
}

// Source lines that no access has stay silent; the others can be pointed at.
function tieSource() {
  const ties = {
    before: keysByLine(standing()),
    after: keysByLine(codesOf(view.function, view.arch).find((code) => code.s === view.source)),
  };
  for (const cell of part("source").querySelectorAll("[data-line]")) {
    const keys = ties[cell.dataset.side].get(Number(cell.dataset.line));
    if (!keys) {
      delete cell.dataset.keys;
      continue;
    }
    const exact = [...keys].filter((key) => !key.includes("//"));
    cell.dataset.keys = (exact.length ? exact : [...keys]).join(" ");
    cell.tabIndex = -1;
  }
  enter(part("source"));
}

function drawSourcePane() {
  const passage = passagesOf(view.function).find((one) => one.s === view.source);
  if (!passage) {
    part("source").replaceChildren(make("p", { class: "note" }, "No style writes it."));
    part("source-also-box").hidden = true;
    return;
  }
  part("source-also").textContent = passage.also;
  part("source-also-box").hidden = !passage.also;
  part("source-said").textContent = NARROW.matches
    ? `how it stands (−), as ${content.styles[view.source]} (+)`
    : `how it stands, and as ${content.styles[view.source]}`;
  drawSource(part("source"), passage, NARROW.matches);
  tieSource();
}

function drawAssembly() {
  const panes = shownCodes().map((code) => drawPane(code, view.whole));
  const none = make("p", { class: "note" }, "Nothing of it was built, or no style is chosen.");
  part("assembly").replaceChildren(...(panes.length ? panes : [none]));
  for (const pane of part("assembly").querySelectorAll(".pane")) enter(pane);
}

// One stop of the tab key for each pane; arrows go on from there.
function enter(pane) {
  const rows = pointable(pane);
  if (rows.length && !rows.some((row) => row.tabIndex === 0)) rows[0].tabIndex = 0;
}

function pointable(pane) {
  return [...pane.querySelectorAll("[data-key], [data-keys]")];
}

function keysOf(element) {
  const found = element && element.closest && element.closest("[data-key], [data-keys]");
  return found ? found.dataset.keys || found.dataset.key : "";
}

// 2: the same access; 1: the same cluster, which this variant writes with more accesses or fewer,
// so that no one of them is the one; 0: another.
function concern(own, wanted) {
  const [cluster, access, count] = wanted.split("/");
  const [ownCluster, , ownCount] = own.split("/");
  if (own === wanted) return 2;
  if (ownCluster !== cluster) return 0;
  return access === "" || ownCount !== count ? 1 : 0;
}

function concerns(own, wanted) {
  const pairs = own.split(" ").flatMap((one) => wanted.split(" ").map((other) => concern(one, other)));
  return Math.max(0, ...pairs);
}

function light() {
  const keys = lit.pinned || lit.hovered;
  for (const element of document.querySelectorAll("#code [data-key], #code [data-keys]")) {
    const on = keys ? concerns(element.dataset.keys || element.dataset.key, keys) : 0;
    element.classList.toggle("lit", on === 2);
    element.classList.toggle("near", on === 1);
    if (element.hasAttribute("aria-selected")) {
      element.setAttribute("aria-selected", String(on === 2 && Boolean(lit.pinned)));
    }
  }
  part("code").classList.toggle("pinned", Boolean(lit.pinned));
  say(keys);
}

// The variant that writes the cluster with as many accesses as the key says: it has their C.
function teller(codes, key) {
  const [cluster, , count] = key.split("/");
  const fit = (code) => code.accesses[cluster] && code.accesses[cluster].length === Number(count);
  return codes.find(fit) || codesOf(view.function, view.arch).find(fit);
}

function say(keys) {
  if (!keys) {
    part("code-status").textContent = "Nothing is pinned.";
    return;
  }
  const codes = shownCodes();
  const parts = codes.map((code) => {
    const found = code.text.map((_, at) => (keyAt(code, at) ? concerns(keyAt(code, at), keys) : 0));
    const exact = found.filter((one) => one === 2).length;
    const style = content.styles[code.s];
    if (exact || !found.includes(1)) return `${style} ${many(exact, "instruction")}`;
    return `${style}: its cluster has another number of accesses`;
  });
  const names = keys.split(" ").map((key) => accessName(teller(codes, key), key));
  part("code-status").textContent =
    `${lit.pinned ? "Pinned: " : ""}${names.join("; ")}. ${parts.join(", ")}.`;
}

// Each pane goes to what was pinned, by itself: the page stays where it is.
function scrollPanes() {
  for (const pane of document.querySelectorAll("#code .pane")) {
    const first = pane.querySelector(".lit") || pane.querySelector(".near");
    if (!first) continue;
    const from = first.getBoundingClientRect().top - pane.getBoundingClientRect().top;
    if (from < 0 || from > pane.clientHeight - 20) {
      pane.scrollTop += from - pane.clientHeight / 3;
    }
  }
}

function pin(keys) {
  lit.pinned = lit.pinned === keys ? "" : keys;
  light();
  if (lit.pinned) scrollPanes();
}

function move(event) {
  const row = event.target.closest("[data-key], [data-keys]");
  const pane = event.target.closest(".pane");
  if (!row || !pane) return;
  const rows = pointable(pane);
  const at = rows.indexOf(row);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined || !rows[to]) return;
  event.preventDefault();
  row.tabIndex = -1;
  rows[to].tabIndex = 0;
  rows[to].focus();
}

function hover(event) {
  const keys = keysOf(event.target);
  if (keys === lit.hovered) return;
  lit.hovered = keys;
  if (!lit.pinned) light();
}

function listen() {
  const box = part("code");
  box.addEventListener("pointerover", hover);
  box.addEventListener("pointerleave", hover);
  box.addEventListener("focusin", hover);
  box.addEventListener("unfolded", () => { tieSource(); light(); });
  box.addEventListener("click", (event) => {
    const keys = keysOf(event.target);
    if (keys) pin(keys);
  });
  box.addEventListener("keydown", (event) => {
    const keys = keysOf(event.target);
    if (keys && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      pin(keys);
    } else {
      move(event);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !lit.pinned) return;
    lit.pinned = "";
    lit.hovered = "";
    light();
  });
}

// The style that costs least there, where that is known.
function bestOf(functionAt, arch) {
  const found = content.first.find(([f, a]) => f === functionAt && a === arch);
  return found ? found[2] : undefined;
}

// Which panes are open: those that were, if the function has them; else how it stands, and the best.
function chooseStyles() {
  const there = codesOf(view.function, view.arch).map((code) => code.s);
  const kept = there.filter((style) => view.styles.has(style));
  const stands = standing();
  const best = bestOf(view.function, view.arch);
  const first = [...new Set([stands ? stands.s : there[0], best ?? there[1]])].filter((style) => there.includes(style));
  view.styles = new Set(kept.length ? kept : first);
  const boxes = there.map((style) => {
    const box = make("input", { type: "checkbox", value: style });
    box.checked = view.styles.has(style);
    box.addEventListener("change", () => {
      if (box.checked) view.styles.add(style);
      else view.styles.delete(style);
      drawAssembly();
      light();
    });
    return make("label", { class: "check" }, box, ` ${content.styles[style]}`);
  });
  part("code-styles").replaceChildren(make("legend", {}, "Assembly of"), ...boxes);
}

function chooseArches() {
  const there = [...new Set(content.codes.filter((code) => code.f === view.function).map((code) => code.a))];
  // Where most is gained comes first: there is most to be seen.
  const best = content.first.find(([f, a]) => f === view.function && there.includes(a));
  view.arch = best ? best[1] : there[0] ?? 0;
  fill(part("code-arch"), there.map((arch) => [arch, content.arches[arch]]), view.arch);
}

function chooseSources() {
  const there = passagesOf(view.function).map((passage) => passage.s);
  const best = bestOf(view.function, view.arch);
  view.source = there.includes(best) ? best : there.includes(view.source) ? view.source : there[0] ?? 0;
  fill(part("code-source"), there.map((style) => [style, content.styles[style]]), view.source);
}

function redraw() {
  lit.pinned = "";
  lit.hovered = "";
  chooseStyles();
  drawAssembly();
  drawSourcePane();
  light();
}

function startCode() {
  if (!part("code-chooser")) return;
  const names = content.functions.map((name, at) => [at, name.split(":").at(-1)]);
  fill(part("code-function"), names, 0);
  chooseArches();
  chooseSources();
  part("code-function").addEventListener("change", (event) => {
    view.function = Number(event.target.value);
    view.styles.clear();
    chooseArches();
    chooseSources();
    redraw();
  });
  part("code-arch").addEventListener("change", (event) => {
    view.arch = Number(event.target.value);
    redraw();
  });
  part("code-source").addEventListener("change", (event) => {
    view.source = Number(event.target.value);
    drawSourcePane();
    light();
  });
  part("code-whole").addEventListener("change", (event) => {
    view.whole = event.target.checked;
    drawAssembly();
    light();
  });
  NARROW.addEventListener("change", () => { drawSourcePane(); light(); });
  part("code-chooser").addEventListener("submit", (event) => event.preventDefault());
  listen();
  redraw();
}

startCode();
