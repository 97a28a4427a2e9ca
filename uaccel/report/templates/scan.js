// SPDX-License-Identifier: GPL-2.0-only
// The list of clusters.  Only the rows on the screen are drawn, so thousands of them cost nothing.

const NEVER = -1; // of a gain that is not known
const BEYOND = 12; // rows drawn above and below what is seen
const PRINTED = 2000; // rows that paper gets


const DEEP = new Set(["arch", "drivers", "sound"]); // folders whose own folders are subsystems

function subsystem(file) {
  const [first, ...rest] = file.split("/");
  if (!rest.length) return "(top)";
  return DEEP.has(first) && rest.length > 1 ? `${first}/${rest[0]}` : first;
}

// Records are made once; a sort and a filter only look at them.
const rows = content.rows.map((row, rank) => {
  const [file, line, fn, direction, form, accesses, longest, gains, weight, writable, told] = row;
  return {
    rank: rank + 1, file: content.files[file], line, fn: content.functions[fn], direction,
    form: content.forms[form], accesses, longest, gains: content.gains[gains], weight, writable,
    told: content.told[told], subsystem: subsystem(content.files[file]),
    words: `${content.files[file]}:${line} ${content.functions[fn]} ${content.told[told]}`.toLowerCase(),
  };
});

// The gain that counts: on the architecture that is asked for, else the largest.
function gainOf(row, arch) {
  if (arch >= 0) return row.gains[arch];
  let best = [NEVER, 0];
  for (const one of row.gains) if (one[0] > best[0] || (one[0] === best[0] && one[1] > best[1])) best = one;
  return best;
}

function gainText([saved, least]) {
  if (saved === NEVER) return "?";
  return `${least ? "≥ " : ""}${saved}`;
}

const text = (key) => (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0);
const number = (key) => (a, b) => a[key] - b[key];

// label, how a cell is told, how rows are ordered, and whether the most comes first.
const COLUMNS = [
  { id: "rank", label: "#", name: "rank", cell: (row) => String(row.rank), order: number("rank"), numeric: true },
  { id: "place", label: "place", cell: (row) => `${row.file}:${row.line}`,
    order: (a, b) => text("file")(a, b) || a.line - b.line },
  { id: "function", label: "function", cell: (row) => row.fn, order: text("fn") },
  { id: "direction", label: "direction", cell: (row) => row.direction, order: text("direction") },
  { id: "form", label: "stands", cell: (row) => row.form, order: text("form") },
  { id: "accesses", label: "accesses", order: number("accesses"), numeric: true,
    cell: (row) => (row.longest === row.accesses ? String(row.accesses) : `${row.accesses} (${row.longest})`) },
  { id: "gain", label: "saves", cell: (row) => gainText(gainOf(row, shown.arch)), numeric: true,
    order: (a, b) => {
      const [one, other] = [gainOf(a, shown.arch), gainOf(b, shown.arch)];
      return one[0] - other[0] || one[1] - other[1];
    } },
  { id: "weight", label: content.unit === "percent" ? "% of profile" : "weight", numeric: true,
    cell: (row) => (content.unit === "percent" ? row.weight.toFixed(2) : String(row.weight)), order: number("weight") },
  { id: "written", label: "a style writes it", cell: (row) => ["no", "yes", "?"][row.writable],
    order: number("writable") },
];

const shown = { rows, column: COLUMNS[0], down: false, arch: -1, height: 0, from: -1, to: -1 };

function wordsOf(value) {
  return value.toLowerCase().split(/\s+/).filter(Boolean);
}

function filtered() {
  const words = wordsOf(part("filter-text").value);
  const [subsystem, direction, form] = ["subsystem", "direction", "form"].map((id) => part(`filter-${id}`).value);
  const least = Number(part("filter-gain").value) || 0;
  const writable = part("filter-writable").checked;
  return rows.filter((row) => (!direction || row.direction === direction)
    && (!form || row.form === form)
    && (!subsystem || row.subsystem === subsystem)
    && (!writable || row.writable === 1)
    && (!least || gainOf(row, shown.arch)[0] >= least)
    && words.every((word) => row.words.includes(word)));
}

function update() {
  shown.arch = Number(part("filter-arch").value);
  const sign = shown.down ? -1 : 1;
  const compare = shown.column.order;
  shown.rows = filtered().sort((a, b) => sign * compare(a, b) || a.rank - b.rank);
  const where = shown.arch < 0 ? "the most of any architecture" : content.arches[shown.arch];
  const order = shown.column.numeric ? ["least first", "most first"] : ["a to z", "z to a"];
  part("said").textContent = `${shown.rows.length} of ${many(rows.length, "cluster")}, by `
    + `${shown.column.name || shown.column.label}, ${order[Number(shown.down)]}; saves: openings, ${where}.`;
  part("list").setAttribute("aria-rowcount", String(shown.rows.length + 1));
  part("rows").style.height = `${shown.rows.length * rowHeight()}px`;
  draw(true);
}

// One row is measured: it has two lines on a narrow page, and one on a wide one.
function rowHeight() {
  if (shown.height) return shown.height;
  const sample = drawn(rows[0] || null, 0);
  part("rows").append(sample);
  shown.height = Math.max(sample.offsetHeight, 1);
  sample.remove();
  return shown.height;
}

function drawn(row, at) {
  const made = make("div", { class: "list-row", role: "row", "aria-rowindex": at + 2, tabindex: 0, "data-at": at });
  if (!row) return made;
  for (const column of COLUMNS) {
    made.append(make("div", { role: "cell", class: `cell ${column.id}`, "data-label": column.label }, column.cell(row)));
  }
  return made;
}

function draw(anew) {
  const height = rowHeight();
  const box = part("rows");
  const top = -box.getBoundingClientRect().top;
  const from = Math.max(Math.floor(top / height) - BEYOND, 0);
  const to = Math.min(Math.ceil((top + innerHeight) / height) + BEYOND, shown.rows.length);
  if (!anew && from === shown.from && to === shown.to) return;
  [shown.from, shown.to] = [from, to];
  paint(from, to, height, anew);
}

// Rows that stay on the screen stay as they are: one of them may have the focus.
function paint(from, to, height, anew) {
  const box = part("rows");
  if (anew) box.replaceChildren();
  for (const row of [...box.children]) {
    const at = Number(row.dataset.at);
    if (at < from || at >= to) row.remove();
  }
  const first = box.firstElementChild;
  const kept = first ? [Number(first.dataset.at), Number(box.lastElementChild.dataset.at)] : [to, from - 1];
  for (let at = from; at < to; at += 1) {
    if (first && at >= kept[0] && at <= kept[1]) continue;
    const row = drawn(shown.rows[at], at);
    row.style.transform = `translateY(${at * height}px)`;
    box.insertBefore(row, first && at < kept[0] ? first : null);
  }
}

function sortBy(column) {
  shown.down = shown.column === column ? !shown.down : Boolean(column.numeric) && column.id !== "rank";
  shown.column = column;
  part("sort-by").value = column.id;
  markHeads();
  update();
}

function markHeads() {
  for (const head of part("heads").children) {
    const mine = head.dataset.id === shown.column.id;
    head.setAttribute("aria-sort", mine ? (shown.down ? "descending" : "ascending") : "none");
  }
}

function startHeads() {
  part("heads").replaceChildren(...COLUMNS.map((column) => {
    const button = make("button", { type: "button" }, column.label);
    button.addEventListener("click", () => sortBy(column));
    return make("div", { role: "columnheader", class: `cell ${column.id}`, "data-id": column.id,
      "aria-sort": "none" }, button);
  }));
  fill(part("sort-by"), COLUMNS.map((column) => [column.id, column.name || column.label]), "rank");
  part("sort-by").addEventListener("change", (event) => {
    sortBy(COLUMNS.find((column) => column.id === event.target.value));
  });
  markHeads();
}

function counted(key) {
  const counts = new Map();
  for (const row of rows) counts.set(row[key], (counts.get(row[key]) || 0) + 1);
  return [["", "all"], ...[...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => [name, `${name} (${count})`])];
}

function startFilters() {
  for (const key of ["subsystem", "direction", "form"]) fill(part(`filter-${key}`), counted(key), "");
  fill(part("filter-arch"), [[-1, "any"], ...content.arches.map((arch, at) => [at, arch])], -1);
  const form = part("filters");
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields have their first values only after the event.
  form.addEventListener("reset", () => setTimeout(() => {
    shown.column = COLUMNS[0];
    shown.down = false;
    markHeads();
    update();
  }));
}

function printAll() {
  const height = rowHeight();
  const count = Math.min(shown.rows.length, PRINTED);
  part("rows").style.height = `${count * height}px`;
  paint(0, count, height, true);
}

// The whole sentence about a cluster, where there is room for it.
function tell(event) {
  const row = event.target.closest("[data-at]");
  if (!row) return;
  const { file, line, told } = shown.rows[Number(row.dataset.at)];
  part("said").textContent = `${file}:${line}: ${told}`;
}

function startList() {
  startHeads();
  startFilters();
  addEventListener("scroll", () => draw(false), { passive: true });
  addEventListener("resize", () => {
    shown.height = 0;
    update();
  });
  part("rows").addEventListener("focusin", tell);
  part("rows").addEventListener("click", tell);
  addEventListener("beforeprint", printAll);
  addEventListener("afterprint", update);
  update();
}

startList();
