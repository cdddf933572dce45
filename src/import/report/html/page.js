"use strict";
// The filter. Without it the page shows everything.
const form = document.getElementById("filter");
if (form) {
  const text = form.querySelector("input[type=search]");
  const said = form.querySelector("[role=status]");
  const fold = (s) => s.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const rows = [...document.querySelectorAll("table.messages tbody tr, table.changes tbody tr")];
  const folded = new Map(rows.map((row) => [row, fold(row.textContent)]));
  const filter = () => {
    const words = fold(text.value).split(/\s+/).filter(Boolean);
    const levels = new Set([...form.querySelectorAll("input:checked")].map((box) => box.value));
    let shown = 0;
    for (const row of rows) {
      const group = row.closest("[data-level]");
      const wanted = !group || levels.has(group.dataset.level);
      row.hidden = !(wanted && words.every((word) => folded.get(row).includes(word)));
      if (!row.hidden) shown += 1;
    }
    for (const group of document.querySelectorAll("[data-level]")) {
      group.hidden = !group.querySelector("tbody tr:not([hidden])");
    }
    said.textContent = `${said.dataset.words}${shown} / ${rows.length}`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}
