"use strict";
// The page works without this file; it only saves steps.

// <button data-copy="TEXT">: puts a text on the clipboard.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  navigator.clipboard.writeText(button.dataset.copy).then(() => {
    const before = button.textContent;
    button.textContent = button.dataset.copied || before;
    setTimeout(() => { button.textContent = before; }, 1500);
  });
});

// <section data-live="ADDRESS" data-every="SECONDS">: brings its content up to date while the page is visible.
for (const part of document.querySelectorAll("[data-live]")) {
  setInterval(async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(part.dataset.live, { headers: { "X-Part": "1" } });
      if (answer.ok && !answer.redirected) part.innerHTML = await answer.text();
    } catch { /* The server is away for now; the next turn tries again. */ }
  }, Number(part.dataset.every || 5) * 1000);
}
