// SPDX-License-Identifier: GPL-2.0-only
// The source as it stands beside what a style writes.

const SAME = 0;
const AROUND = 4; // unchanged lines that are shown around a change
const KINDS = ["same", "changed", "gone", "new"];
const SIGNS = [" ", "±", "−", "+"];

// One line of C in colours.
function coloured(line) {
  const made = make("code");
  for (let at = 0; at < line.length; at += 2) {
    made.append(line[at] ? make("span", { class: `c-${line[at]}` }, line[at + 1]) : line[at + 1]);
  }
  return made;
}

function lineCell(passage, side, index, kind) {
  const lines = passage[side];
  if (index < 0) return [make("td", { class: "no" }), make("td", { class: `src ${side} none` })];
  const number = passage.line[side === "before" ? 0 : 1] + index;
  return [
    make("td", { class: "no" }, String(number)),
    make("td", { class: `src ${side} ${KINDS[kind]}`, "data-side": side, "data-line": number },
      coloured(content.lines[lines[index]])),
  ];
}

function diffRow(passage, [kind, before, after]) {
  return make("tr", { class: `diff ${KINDS[kind]}` },
    ...lineCell(passage, "before", before, kind),
    make("td", { class: "sign", "aria-label": KINDS[kind] }, SIGNS[kind]),
    ...lineCell(passage, "after", after, kind));
}

// On a narrow page one column: what goes before what comes.
function unifiedRows(passage, [kind, before, after]) {
  const row = (side, index, shown) => make("tr", { class: `diff ${KINDS[shown]}` },
    make("td", { class: "sign", "aria-label": KINDS[shown] }, SIGNS[shown]),
    ...lineCell(passage, side, index, shown));
  if (kind === SAME) return [row("after", after, SAME)];
  const made = [];
  if (before >= 0) made.push(row("before", before, 2));
  if (after >= 0) made.push(row("after", after, 3));
  return made;
}

// All that changed before all that is new, as a diff is read.
function ordered(rows) {
  const made = [];
  let gone = [];
  let fresh = [];
  const flush = () => {
    made.push(...gone, ...fresh);
    gone = [];
    fresh = [];
  };
  for (const [kind, before, after] of rows) {
    if (kind === SAME) {
      flush();
      made.push([kind, before, after]);
    } else {
      if (before >= 0) gone.push([2, before, -1]);
      if (after >= 0) fresh.push([3, -1, after]);
    }
  }
  flush();
  return made;
}

function rowsOf(passage) {
  const rows = [];
  for (let at = 0; at < passage.rows.length; at += 3) rows.push(passage.rows.slice(at, at + 3));
  return rows;
}

// Stretches of rows: those that are shown, and those that are folded away.
function stretches(rows) {
  const shown = rows.map(() => false);
  rows.forEach(([kind], at) => {
    if (kind === SAME) return;
    shown.fill(true, Math.max(at - AROUND, 0), at + AROUND + 1);
  });
  const made = [];
  rows.forEach((row, at) => {
    const last = made.at(-1);
    if (last && last.shown === shown[at]) last.rows.push(row);
    else made.push({ shown: shown[at], rows: [row] });
  });
  return made;
}

function drawSource(box, passage, narrow) {
  const all = rowsOf(passage);
  const draw = narrow
    ? (row) => unifiedRows(passage, row)
    : (row) => [diffRow(passage, row)];
  const body = make("tbody");
  for (const stretch of stretches(narrow ? ordered(all) : all)) {
    const rows = stretch.rows.flatMap(draw);
    if (stretch.shown || stretch.rows.length <= 2) body.append(...rows);
    else body.append(foldedRow(rows, narrow ? 3 : 5, "line"));
  }
  const columns = narrow ? [] : [make("colgroup", {},
    make("col", { class: "no" }), make("col"), make("col", { class: "sign" }),
    make("col", { class: "no" }), make("col"))];
  box.replaceChildren(make("table", { class: `code ${narrow ? "unified" : "split"}` }, ...columns, body));
}

// A row that stands for many, and gives way to them.
function foldedRow(rows, columns, what) {
  const button = make("button", { type: "button" }, `${many(rows.length, what)} more`);
  const row = make("tr", { class: "folded" }, make("td", { colspan: columns }, button));
  button.addEventListener("click", () => {
    row.replaceWith(...rows);
    rows[0].dispatchEvent(new CustomEvent("unfolded", { bubbles: true }));
  });
  return row;
}
