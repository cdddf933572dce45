// Looking at a page: what it asks the network for, what it complains about, and whether everybody can read it.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { axePath, expect, PATIENCE_MS, pictures, poorContrast } from "../suite.mjs";

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
const axe = readFileSync(axePath(), "utf8");

// A window of somebody's browser. `complaints` gathers what must not be: requests to elsewhere, console errors, refusals by the CSP.
export async function open(browser, base, options = {}) {
  const context = await browser.newContext({ viewport: WIDE, locale: "en-GB", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  const note = (words) => complaints.push(`${new URL(page.url()).pathname}: ${words}`);
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !url.startsWith("data:") && !url.startsWith("blob:")) note(`asked ${url}`);
  });
  page.on("console", (message) => {
    // A form that is refused is answered 422 on purpose; Chromium logs that as an error.
    const meant = /the server responded with a status of (403|404|409|422)/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !meant) note(`${message.text()} ${message.location().url ?? ""}`);
  });
  page.on("pageerror", (error) => note(error.message));
  return {
    page,
    context,
    go: (path) => page.goto(base + path),
    quiet() {
      expect(complaints.length === 0, complaints.splice(0).slice(0, 5).join("\n"));
    },
    close: () => context.close(),
  };
}

// What HTML itself asks for, and what a person who cannot see needs.
export async function structure(page) {
  const seen = await page.evaluate(() => {
    const words = (element) => element.textContent.trim().replace(/\s+/g, " ").slice(0, 60);
    const named = (control) => control.labels?.length || control.ariaLabel || control.getAttribute("aria-labelledby") || control.title;
    const controls = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")];
    const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter((h) => h.checkVisibility());
    return {
      language: document.documentElement.lang,
      title: document.title,
      h1: document.querySelectorAll("h1").length,
      jumps: levels.filter((h, at) => at > 0 && Number(h.tagName[1]) > Number(levels[at - 1].tagName[1]) + 1).map(words),
      twice: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, at, all) => all.indexOf(id) !== at),
      unlabelled: controls.filter((control) => !named(control)).map((control) => control.outerHTML.slice(0, 90)),
      orphans: [...document.querySelectorAll("label[for]")].filter((l) => !document.getElementById(l.htmlFor)).map(words),
      nameless: [...document.querySelectorAll("a[href], button, summary")]
        .filter((e) => !e.textContent.trim() && !e.ariaLabel && !e.querySelector("img[alt]:not([alt=''])"))
        .map((e) => e.outerHTML.slice(0, 90)),
      unscoped: [...document.querySelectorAll("th:not([scope])")].map(words),
      bare: [...document.querySelectorAll("table")]
        .filter((t) => !t.querySelector("th")).map(words),
      inline: [...document.querySelectorAll("[style]:not([style='']), style, script:not([src]), [onclick]")].map((e) => e.outerHTML.slice(0, 90)),
      hacked: window.hacked,
    };
  });
  expect(seen.hacked === undefined, `a value ran as a script (${seen.hacked})`);
  expect(seen.h1 === 1, `${seen.h1} main headings`);
  expect(seen.title.replace(/·?\s*Rollcall$/, "").trim().length > 1, `title: ${seen.title}`);
  for (const fault of ["jumps", "twice", "unlabelled", "orphans", "nameless", "unscoped", "bare", "inline"]) {
    expect(seen[fault].length === 0, `${fault}: ${[...new Set(seen[fault])].slice(0, 4).join(" | ")}`);
  }
  return seen;
}

// axe-core's serious and critical findings. Source: WCAG 2.2 A and AA by the rules of axe.
export async function accessible(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const bad = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  const told = bad.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
  expect(bad.length === 0, told.join("\n"));
}

// Nothing sticks out on a phone.
export async function fits(page) {
  const wide = await page.evaluate(() => {
    const over = document.scrollingElement.scrollWidth - window.innerWidth;
    if (over <= 0) return null;
    const out = (e) => e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest(".wide, pre, .tabs");
    const who = [...document.querySelectorAll("main *")].filter(out).slice(0, 3).map((e) => e.outerHTML.slice(0, 80));
    return `${over} px too wide: ${who.join(" | ")}`;
  });
  expect(wide === null, wide);
}

// Waits for something that comes by itself; an hour that passes meanwhile may be two minutes away.
export async function until(what, question) {
  const end = Date.now() + PATIENCE_MS + 120_000;
  for (;;) {
    if (await question()) return;
    if (Date.now() > end) throw new Error(`waited five minutes: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

// Presses a button that is asked for once more: where it stands folded away, it is unfolded first.
export async function firmly(page, button) {
  const folded = button.locator("xpath=ancestor::details[not(@open)]/summary");
  while (await folded.count()) await folded.first().click();
  await button.click();
}

// A picture of the whole page, where pictures are wanted.
export async function picture(page, name, way) {
  if (pictures) await page.screenshot({ path: join(pictures, `${name}-${way}.png`), fullPage: true });
}

// Asks something of the page on a phone.
export async function onPhone(page, question, name, colours) {
  await page.setViewportSize(PHONE);
  try {
    await picture(page, name, `${colours}-phone`);
    await question();
  } finally {
    await page.setViewportSize(WIDE);
  }
}

// A page in one language: wide and narrow, light and dark. Each way is shown in a picture.
export async function everyWay(page, name) {
  const faults = [];
  const ask = async (what, question) => {
    try {
      await question();
    } catch (error) {
      faults.push(`${what}: ${error.message}`);
    }
  };
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(WIDE);
    await ask(`contrast in ${colorScheme}`, async () => {
      const poor = await page.evaluate(poorContrast);
      expect(poor.length === 0, poor.slice(0, 5).join("; "));
    });
    await picture(page, name, `${colorScheme}-wide`);
    await page.setViewportSize(PHONE);
    if (colorScheme === "light") await ask("on a phone", () => fits(page));
    await picture(page, name, `${colorScheme}-phone`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(WIDE);
  await ask("axe", () => accessible(page));
  await ask("structure", () => structure(page));
  expect(faults.length === 0, faults.join("\n"));
}
