// SPDX-License-Identifier: GPL-2.0-only
// The runs: one row a fault, one column a style; a cell says how they came out, a click says why.

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
  return value === null ? "did not return" : String(value);
}

function detailRow(run) {
  return make("tr", {},
    make("td", {}, make("span", { class: `outcome ${run.outcome}` }, run.outcome)),
    make("td", { class: "n" }, String(run.alike)),
    make("td", { class: "n" }, returned(run.results[0])),
    make("td", { class: "n" }, returned(run.results[1])),
    make("td", { class: "n" }, String(run.reached[0])),
    make("td", { class: "n" }, String(run.reached[1])),
    make("td", {}, run.closed ? "closed" : "stands open"),
    make("td", { class: "wide" }, run.why));
}

function showRuns(box, style, what, runs) {
  const heads = ["outcome", "runs", "returns: stands", "written", "accesses: stands", "written", "window", "why"];
  const more = runs.length > 50 ? [make("p", { class: "note" }, `the first 50 of ${runs.length}`)] : [];
  box.replaceChildren(
    make("h4", {}, `${style}: ${what}`),
    make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...runs.slice(0, 50).map(detailRow)))),
    ...more);
}

function cell(style, what, runs, box) {
  if (!runs) return make("td", { class: "quiet" }, "not run");
  const button = make("button", { type: "button", class: `outcome ${worstOf(runs)}` }, told(runs));
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll("#faults-matrix [aria-pressed]")) {
      other.removeAttribute("aria-pressed");
    }
    button.setAttribute("aria-pressed", "true");
    showRuns(box, style, what, runs);
  });
  return make("td", {}, button);
}

function drawMatrix(runs) {
  const box = document.getElementById("faults-told");
  const styles = [...grouped(runs, "s").keys()].sort((a, b) => a - b);
  const head = make("tr", {}, make("th", { scope: "col" }, "what is met"),
    ...styles.map((style) => make("th", { scope: "col" }, content.styles[style])));
  const rows = [...grouped(runs.filter(KEPT[part("faults-rows").value]), "what")].map(([what, met]) => {
    const byStyle = grouped(met, "s");
    return make("tr", {}, make("th", { scope: "row" }, what),
      ...styles.map((style) => cell(content.styles[style], what, byStyle.get(style), box)));
  });
  if (!rows.length) rows.push(make("tr", {}, make("td", { colspan: styles.length + 1 }, "none of them")));
  box.replaceChildren();
  const table = make("table", { class: "matrix" }, make("thead", {}, head), make("tbody", {}, ...rows));
  document.getElementById("faults-matrix").replaceChildren(table);
}

// All of it at a glance: how every style of the function came out on every architecture.
function drawSum(runs, choose) {
  const styles = [...grouped(runs, "s").keys()].sort((a, b) => a - b);
  const head = make("tr", {}, make("th", { scope: "col" }, "architecture"),
    ...styles.map((style) => make("th", { scope: "col" }, content.styles[style])));
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
  const table = make("table", { class: "matrix" }, make("thead", {}, head), make("tbody", {}, ...rows));
  document.getElementById("faults-sum").replaceChildren(table);
}

function startFaults() {
  const byFunction = document.getElementById("faults-function");
  const byArch = document.getElementById("faults-arch");
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
  const all = [...functions.keys()];
  fill(byFunction, all.map((at) => [at, content.functions[at].split(":").at(-1)]), all[0]);
  byFunction.addEventListener("change", refill);
  byArch.addEventListener("change", draw);
  part("faults-rows").addEventListener("change", draw);
  refill();
}

startFaults();
