// SPDX-License-Identifier: GPL-2.0-only
// The assembly of one variant: rows tied to the accesses that they serve.

const CONTEXT = 2; // instructions that are shown around what serves an access
const TOUCHES = 1;
const COUNTED = 2;
const COLOURS = 8;

// "0/3/9": the access 3 of the 9 of cluster 0.  "0//9": of no single one of them.
function keyOf(code, cluster, access) {
  if (cluster < 0) return "";
  return [cluster, access < 0 ? "" : access, (code.accesses[cluster] || []).length].join("/");
}

function keyAt(code, at) {
  return keyOf(code, code.cluster[at], code.access[at]);
}

// How an access is told: its number among those of its cluster, and its C.
function accessName(code, key) {
  const [cluster, access, count] = key.split("/");
  const id = code.clusters[cluster] || "";
  const way = id.split(":").at(-1).split("@")[0];
  if (access === "") return `${way} cluster, of no single one of its ${count} accesses`;
  const all = code.accesses[cluster] || [];
  return `${way} ${Number(access) + 1} of ${count}: ${all[access]}`;
}

function isToggle(role) {
  return role === "opens" || role === "closes" || role === "toggles";
}

function insnRow(code, at, address) {
  const key = keyAt(code, at);
  const role = content.texts[code.role[at]];
  const flags = code.flags[at];
  const access = code.access[at];
  const classes = ["insn"];
  if (code.window[at] >= 0) classes.push("in-window");
  if (isToggle(role)) classes.push("toggle");
  if (flags & TOUCHES) classes.push("touch");
  if (role === "calls") classes.push("call");
  const number = access >= 0 ? String(access + 1) : "";
  const name = number ? `a${access % COLOURS}` : "";
  return make("tr",
    { class: classes.join(" "), "data-key": key || null, "aria-selected": key ? "false" : null,
      tabindex: key ? -1 : null },
    make("td", { class: "no" }, address.toString(16)),
    make("td", { class: `who ${name}` }, number),
    make("td", { class: "dot" }, flags & COUNTED ? "•" : ""),
    make("td", { class: "text" }, make("code", {}, content.texts[code.text[at]])),
    make("td", { class: "role" }, isToggle(role) ? role : ""));
}

function wanted(code, whole) {
  const count = code.text.length;
  const shown = new Array(count).fill(whole);
  if (whole) return shown;
  for (let at = 0; at < count; at += 1) {
    const role = content.texts[code.role[at]];
    if (code.cluster[at] >= 0 || code.window[at] >= 0 || isToggle(role)) {
      shown.fill(true, Math.max(at - CONTEXT, 0), Math.min(at + CONTEXT + 1, count));
    }
  }
  return shown;
}

function sums(code) {
  let counted = 0;
  let toggles = 0;
  let calls = 0;
  for (let at = 0; at < code.text.length; at += 1) {
    if (code.flags[at] & COUNTED) counted += 1;
    const role = content.texts[code.role[at]];
    if (isToggle(role)) toggles += 1;
    if (role === "calls" && code.flags[at] & TOUCHES) calls += 1;
  }
  return `${many(code.text.length, "instruction")}, ${counted} counted on success paths, `
    + `${toggles} that open or close${calls ? `, ${many(calls, "call")} to what reaches user memory` : ""}`;
}

function drawPane(code, whole) {
  const body = make("tbody");
  const shown = wanted(code, whole);
  let address = 0;
  let folded = [];
  const flush = () => {
    if (folded.length > 2) body.append(foldedRow(folded, 5, "instruction"));
    else body.append(...folded);
    folded = [];
  };
  for (let at = 0; at < code.text.length; at += 1) {
    address += code.steps[at];
    const row = insnRow(code, at, address);
    if (shown[at]) {
      flush();
      body.append(row);
    } else {
      folded.push(row);
    }
  }
  flush();
  const style = content.styles[code.s];
  const label = `${style} on ${content.arches[code.a]}`;
  const table = make("table", { class: "code asm", role: "grid", "aria-label": label }, body);
  return make("section", { class: "variant-code", "aria-label": label },
    make("h4", {}, style, " ", make("span", { class: "note" }, code.compiler.split(" (")[0])),
    make("p", { class: "note" }, sums(code)),
    make("div", { class: "pane asm" }, table));
}
