// SPDX-License-Identifier: GPL-2.0-only
// The runs: one row a fault, one column a style; a cell says how they came out, a click each of them.

const OUTCOMES = ["same", "declared", "different"];

// As `_met` of code.py puts it together.
function run(row) {
  const text = (at) => content.texts[at];
  return {
    f: row[0], a: row[1], s: row[2], what: text(row[3]), outcome: text(row[4]), why: text(row[5]),
    results: [row[6], row[7]], reached: [row[8], row[9]], step: row[10],
    sticky: Boolean(row[11] & 1), closed: Boolean(row[11] & 2), alike: row[12],
  };
}

const KEPT = {
  all: () => true,
  faults: (run) => run.step >= 0,
  others: (run) => run.step < 0,
  odd: (run) => run.outcome !== "same",
};

function worstOf(runs) {
  return OUTCOMES.findLast((one) => runs.some((run) => run.outcome === one)) || "none";
}

function grouped(runs, key) {
  const made = new Map();
  for (const run of runs) {
    if (!made.has(run[key])) made.set(run[key], []);
    made.get(run[key]).push(run);
  }
  return made;
}

function told(runs) {
  return OUTCOMES
    .map((one) => [one, runs.filter((run) => run.outcome === one)])
    .map(([one, found]) => [one, found.reduce((sum, run) => sum + run.alike, 0)])
    .filter(([, count]) => count)
    .map(([one, count]) => (count === 1 ? one : `${one} ×${count}`))
    .join(", ");
}

function returned(value) {
  return value === null ? "never" : String(value);
}

const SHOWN = 50; // runs of one cell that are listed

function side(run, at) {
  return `returns ${returned(run.results[at])} after ${run.reached[at]} user ${run.reached[at] === 1 ? "access" : "accesses"}`;
}

function detail(run, style) {
  const alike = run.alike > 1 ? ` (and ${run.alike - 1} more like it)` : "";
  return make("li", {},
    make("span", { class: `outcome ${run.outcome}` }, run.outcome),
    ` as it stands: ${side(run, 0)}; ${style}: ${side(run, 1)}, `
    + `${run.closed ? "the window is closed" : "the window stands open"}${alike}. ${run.why}`);
}

// What a cell stands for opens right below its row, and shuts again.
function toggleRuns(button, style, runs) {
  const open = button.getAttribute("aria-expanded") === "true";
  const row = button.closest("tr");
  for (const other of row.querySelectorAll("[aria-expanded]")) other.setAttribute("aria-expanded", "false");
  if (row.nextElementSibling && row.nextElementSibling.classList.contains("told")) {
    row.nextElementSibling.remove();
  }
  if (open) return;
  button.setAttribute("aria-expanded", "true");
  const more = runs.length > SHOWN ? [make("p", { class: "note" }, `the first ${SHOWN} of ${runs.length}`)] : [];
  row.after(make("tr", { class: "told" }, make("td", { colspan: row.children.length },
    make("ul", {}, ...runs.slice(0, SHOWN).map((run) => detail(run, style))), ...more)));
}

function cell(style, runs) {
  // Of runs that differ in numbers alone one has a row, and another variant may have another one.
  if (!runs) return make("td", { class: "quiet" }, "no row of its own");
  const button = make("button", { type: "button", class: `outcome ${worstOf(runs)}`,
    "aria-expanded": "false" }, told(runs));
  button.addEventListener("click", () => toggleRuns(button, style, runs));
  return make("td", {}, button);
}

function styleHeads(first, styles) {
  return make("thead", {}, make("tr", {}, make("th", { scope: "col" }, first),
    ...styles.map((style) => make("th", { scope: "col" }, content.styles[style]))));
}

function drawMatrix(runs) {
  const styles = [...grouped(runs, "s").keys()].sort((a, b) => a - b);
  const kept = new Set(runs.filter(KEPT[part("faults-rows").value]).map((one) => one.what));
  const rows = [...grouped(runs.filter((one) => kept.has(one.what)), "what")].map(([what, met]) => {
    const byStyle = grouped(met, "s");
    return make("tr", {}, make("th", { scope: "row" }, what),
      ...styles.map((style) => cell(content.styles[style], byStyle.get(style))));
  });
  if (!rows.length) rows.push(make("tr", {}, make("td", { colspan: styles.length + 1 }, "none of them")));
  part("faults-matrix").replaceChildren(
    make("table", { class: "matrix" }, styleHeads("what is met", styles), make("tbody", {}, ...rows)));
}

// All of it at a glance: how every style of the function came out on every architecture.
function drawSum(runs, choose) {
  const styles = [...grouped(runs, "s").keys()].sort((a, b) => a - b);
  const rows = [...grouped(runs, "a")].sort(([a], [b]) => a - b).map(([arch, met]) => {
    const byStyle = grouped(met, "s");
    const name = make("button", { type: "button", class: "plain" }, content.arches[arch]);
    name.addEventListener("click", () => choose(arch));
    return make("tr", {}, make("th", { scope: "row" }, name), ...styles.map((style) => {
      const found = byStyle.get(style);
      if (!found) return make("td", { class: "quiet" }, "not run");
      return make("td", {}, make("span", { class: `outcome ${worstOf(found)}` }, told(found)));
    }));
  });
  part("faults-sum").replaceChildren(
    make("table", { class: "matrix" }, styleHeads("architecture", styles), make("tbody", {}, ...rows)));
}

function startFaults() {
  const byFunction = part("faults-function");
  const byArch = part("faults-arch");
  if (!byFunction) return;
  const runs = content.met.map(run);
  const functions = grouped(runs, "f");
  const draw = () => {
    const arches = grouped(functions.get(Number(byFunction.value)), "a");
    drawMatrix(arches.get(Number(byArch.value)) || []);
  };
  const choose = (arch) => {
    byArch.value = String(arch);
    draw();
  };
  const refill = () => {
    const found = functions.get(Number(byFunction.value));
    const arches = [...grouped(found, "a").keys()].sort((a, b) => a - b);
    const before = Number(byArch.value);
    fill(byArch, arches.map((arch) => [arch, content.arches[arch]]),
      byArch.value !== "" && arches.includes(before) ? before : arches[0]);
    drawSum(found, choose);
    draw();
  };
  const all = [...functions.keys()].sort((a, b) => a - b);
  fill(byFunction, all.map((at) => [at, content.functions[at].split(":").at(-1)]), all[0]);
  byFunction.addEventListener("change", refill);
  byArch.addEventListener("change", draw);
  part("faults-rows").addEventListener("change", draw);
  refill();
}

startFaults();
