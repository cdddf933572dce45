// Words that were forgotten in one language: what stands on a French or German page just as on the English one.

// Every piece of text of the page's own: headings, labels, buttons, links, cells; not data, code or what names its own language.
export function texts(page) {
  return page.evaluate(() => {
    const own = "h1, h2, h3, h4, label, legend, button, summary, th, caption, dt, option, a, p, li, .badge, .hint";
    const out = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim().replace(/\s+/g, " ");
      if (!/\p{L}{2}/u.test(text)) continue;
      if (element.closest("script, style, code, pre, .mono, .secret, [translate=no], [lang]:not(html), textarea, bdi, .brand, .me")) continue;
      const cell = element.closest("td, dd, tbody th");
      out.push({ text, cell: cell !== null && !element.closest(".badge, button, label, option, .hint"), own: element.closest(own) !== null });
    }
    for (const element of document.querySelectorAll("[aria-label], [placeholder], [title], img[alt]")) {
      if (element.closest("[translate=no], [lang]:not(html)")) continue;
      for (const name of ["aria-label", "placeholder", "title", "alt"]) {
        const text = element.getAttribute(name)?.trim();
        if (text && /\p{L}{2}/u.test(text)) out.push({ text, cell: false, own: true });
      }
    }
    return out;
  });
}

// Words that are the same in English and French or German, and names.
const SAME = new Set(
  (
    "import imports client clients date dates menu actions action message messages page pages type types port ports code codes mode " +
    "rollcall sftp ftps ftpes acme payroll minimum maximum source description notes note position version server administrator operator " +
    "name text status host login fingerprint standard e-paye mprh csv json html xlsx toml api openpgp webhook webhooks token audit format " +
    "total normal transport encryption exports export information test patron service services profile absent contact url id ids utf-8 " +
    "question section destination destinations signature signatures e-mail e-mails mails mail hook hooks base public international " +
    "fichier simple visible permission permissions rotation absence absences manager csp plain zip age excel commercial central " +
    "english français deutsch macintosh cp dos mon-sat mon-fri lumiere-paie nordwind-lohn windows unix latin ansi person organisation sessions browser bytes upload download in daily " +
    "applied initial origin details global local minutes secondes sms symbole contrat unique non ok max min cron utc get post put patch delete"
  ).split(" "),
);
const ENGLISH = /\b(the|of|is|are|was|were|and|for|this|that|with|not|no|has|have|been|will|it|its|to|from|by|at|you|your|as|or|if|when|nobody|every|each|only|which|who|what|does|did|do)\b/i;

// The texts of an English page that stand unchanged on the other one and look like words of ours.
export function forgotten(english, other, names) {
  const kept = new Set(other.map((one) => one.text));
  const told = new Set();
  for (const { text, cell } of english) {
    if (!kept.has(text) || names.some((name) => text.includes(name))) continue;
    const words = text.toLowerCase().split(/[^\p{L}\p{N}/.@_-]+/u).filter((word) => /\p{L}{2}/u.test(word));
    if (words.every((word) => SAME.has(word) || /[\d@/_.]/.test(word) || /-(payroll|paie|lohn)$|^[ymd-]+$/.test(word))) continue;
    if (cell ? ENGLISH.test(text) && words.length > 2 : true) told.add(text.slice(0, 100));
  }
  return [...told];
}
