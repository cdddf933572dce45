"use strict";
// The page works without this file; it only saves steps.

// One place that a screen reader reads from, without moving the focus.
const voice = document.createElement("p");
voice.className = "unseen";
voice.setAttribute("role", "status");
document.body.append(voice);
function say(words) {
  voice.textContent = "";
  requestAnimationFrame(() => { voice.textContent = words; });
}

// <button data-copy="TEXT" data-copied="Copied">: puts a text on the clipboard.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const done = button.dataset.copied || "✓";
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    return; // The browser does not let us; the text beside the button can be selected.
  }
  say(done);
  if (button.dataset.before) return;
  const name = button.getAttribute("aria-label");
  button.dataset.before = button.textContent;
  button.textContent = done;
  button.removeAttribute("aria-label");
  setTimeout(() => {
    button.textContent = button.dataset.before;
    delete button.dataset.before;
    if (name) button.setAttribute("aria-label", name);
  }, 1800);
});

// <button data-print hidden>: opens the browser's print window.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// <details class="menu">: one open at a time; Escape and a click elsewhere close it.
function closeMenus(but) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== but) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  const inside = menu.contains(document.activeElement);
  closeMenus();
  if (inside) menu.querySelector("summary").focus();
});

// Tables on a phone: each cell learns its column's heading, and style.css shows rows as cards. The roles keep them tables for
// screen readers, whatever way they are laid out.
function labelTables(within) {
  for (const table of within.querySelectorAll(".wide > table")) {
    const heads = [...table.querySelectorAll(":scope > thead > tr:last-child > *")];
    if (heads.length === 0 || heads.some((head) => head.colSpan > 1)) continue;
    table.classList.add("stacks");
    table.setAttribute("role", "table");
    for (const head of heads) head.setAttribute("role", "columnheader");
    for (const group of table.querySelectorAll(":scope > thead, :scope > tbody")) group.setAttribute("role", "rowgroup");
    for (const row of table.querySelectorAll(":scope > * > tr")) {
      row.setAttribute("role", "row");
      if (row.parentElement.tagName === "THEAD") continue;
      const cells = [...row.cells];
      const naming = cells.find((cell) => cell.tagName === "TH") ?? (cells[0]?.querySelector("a") ? cells[0] : null);
      cells.forEach((cell, at) => {
        const head = heads[at];
        cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
        cell.dataset.label = head && !head.querySelector(".unseen") ? head.textContent.trim() : "";
        cell.classList.toggle("naming", cell === naming || cell.colSpan > 1);
        cell.classList.toggle("long", cell.textContent.trim().length > 36 || cell.querySelector("input:not([type=checkbox], [type=radio], [type=hidden]), select, textarea, div, ul") !== null);
        cell.classList.toggle("bare", !cell.textContent.trim() && !cell.firstElementChild);
      });
    }
  }
  // What scrolls sideways can be scrolled by keyboard.
  for (const wide of within.querySelectorAll(".wide, pre")) {
    const scrolls = wide.scrollWidth > wide.clientWidth;
    if (scrolls && !wide.querySelector("a, button, input, select, summary")) wide.tabIndex = 0;
  }
}
labelTables(document);
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Puts new content into a part, and the focus back on what had it.
function replace(part, html) {
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const all = () => [...part.querySelectorAll("a, button, input, select, textarea, summary")];
  const [id, place, href] = [active?.id, active ? all().indexOf(active) : -1, active?.getAttribute("href")];
  part.innerHTML = html;
  labelTables(part);
  if (!active) return;
  const again = (id && document.getElementById(id)) || all().find((one) => href && one.getAttribute("href") === href) || all()[place];
  again?.focus({ preventScroll: true });
}

// <section data-live="ADDRESS" data-every="SECONDS">: brings its content up to date while the page is visible. What stands in an
// element [data-announce] is read out when it has changed.
for (const part of document.querySelectorAll("[data-live]")) {
  const told = () => part.querySelector("[data-announce]")?.textContent.trim() ?? "";
  let last = part.innerHTML;
  const timer = setInterval(async () => {
    if (document.hidden || part.querySelector("details[open], input:focus, textarea:focus, select:focus")) return;
    try {
      const answer = await fetch(part.dataset.live, { headers: { "X-Part": "1" } });
      if (answer.redirected || answer.status === 403) return clearInterval(timer); // Signed out meanwhile.
      const html = answer.ok ? await answer.text() : last;
      part.classList.toggle("busy", !answer.ok);
      if (html === last) return;
      const before = told();
      replace(part, html);
      last = html;
      if (told() && told() !== before) say(told());
    } catch {
      part.classList.add("busy"); // The server is away for now; the next turn tries again.
    }
  }, Math.max(2, Number(part.dataset.every) || 5) * 1000);
}

// <form class="filters" method="get">: what follows the form is brought up to date while somebody types or chooses.
for (const form of document.querySelectorAll("form.filters")) {
  if (form.method !== "get" || form.hasAttribute("data-plain")) continue;
  let timer;
  let asked;
  const following = (of) => { const nodes = []; for (let n = of.nextSibling; n; n = n.nextSibling) nodes.push(n); return nodes; };
  const update = async () => {
    asked?.abort();
    asked = new AbortController();
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    const address = new URL(form.getAttribute("action") || location.pathname, location.href);
    address.search = new URLSearchParams(fields);
    try {
      const answer = await fetch(address, { signal: asked.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const at = [...document.querySelectorAll("form.filters")].indexOf(form);
      const fresh = page.querySelectorAll("form.filters")[at];
      if (!answer.ok || !fresh) return form.submit();
      for (const node of following(form)) node.remove();
      form.after(...following(fresh));
      labelTables(form.parentElement);
      history.replaceState(null, "", address);
      say(form.parentElement.querySelector(".count, [data-announce]")?.textContent.trim() ?? "");
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(update, 350); });
}

// [data-drop] around a file field: a file may be dropped on it.
for (const zone of document.querySelectorAll("[data-drop]")) {
  const field = zone.querySelector("input[type=file]");
  if (!field) continue;
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  zone.addEventListener("dragleave", (event) => { if (!zone.contains(event.relatedTarget)) zone.classList.remove("over"); });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length === 0) return;
    field.files = event.dataTransfer.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    say(field.files[0].name);
  });
}
