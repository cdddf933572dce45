// The HTML report in a real browser: what a clerk sees, with and without script, on paper, on a phone, by keyboard.
//
// The reports are made by the binary itself in a temporary folder, and opened as files. Run by run.mjs.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { check, expect, PATIENCE_MS, pictures, poorContrast, rollcallIn, shown } from "./suite.mjs";

const samples = resolve(import.meta.dirname, "../../data/samples");
const place = mkdtempSync(join(tmpdir(), "rollcall-browser-"));
const rollcall = rollcallIn(place);

const HOSTILE = `employeeNumber;lastName;firstName;mail;dtContractStart;dtBirth;jobTitle
1;<script>window.hacked=1</script>;Ann;ann@example.org;2024-01-08;1990-05-04;<img src=x onerror=window.hacked=2>
2;Été;Zoë;zoe(at)example.org;2024-01-08;1991-06-05;"""><b onclick=window.hacked=3>"
3;${"Wide".repeat(60)};Ben;ben@example.org;2024-13-08;1991-06-05;Clerk
`;

// Imports files one after the other for a client of its own; answers the last one's pages by language.
function pages(client, settings, files) {
  rollcall("client", "add", client, "--name", client, "--language", "fr");
  rollcall("account", "add", client, "Payroll");
  rollcall("settings", "set", client, "import", 'report.formats=["html"]', 'report.languages=["fr","en","de"]', ...settings);
  for (const file of files) rollcall("import", client, file);
  const folder = join(place, "data/clients", client, "files", client, "in/reports");
  const all = readdirSync(folder).sort();
  const last = all.filter((name) => name.endsWith(".report.html")).at(-1).slice(0, -".html".length);
  return { fr: join(folder, `${last}.html`), en: join(folder, `${last}.en.html`), de: join(folder, `${last}.de.html`) };
}

// Opens a page and hands it on with everything that it asked the network for or complained about.
async function open(browser, path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const asked = [];
  const complaints = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(pathToFileURL(path).href);
  return { page, asked, complaints, close: () => context.close() };
}

async function quiet(browser, path) {
  const { page, asked, complaints, close } = await open(browser, path);
  expect(asked.length === 1 && asked[0].startsWith("file:"), `asked for ${asked.slice(1)}`);
  expect(complaints.length === 0, complaints.join("; "));
  expect((await page.evaluate(() => window.hacked)) === undefined, "a value ran as a script");
  await close();
}

async function structure(browser, path, language) {
  const { page, close } = await open(browser, path);
  const seen = await page.evaluate(() => ({
    language: document.documentElement.lang,
    h1: document.querySelectorAll("h1").length,
    levels: [...document.querySelectorAll("h1, h2, h3")].map((h) => Number(h.tagName[1])),
    landmarks: ["header", "main", "footer"].map((name) => document.querySelectorAll(`body > ${name}`).length),
    unnamed: [...document.querySelectorAll("section")].filter(
      (s) => !document.getElementById(s.getAttribute("aria-labelledby"))?.textContent.trim(),
    ).length,
    bare: [...document.querySelectorAll("table")].filter((t) => !t.querySelector("thead th[scope=col]")).length,
    uneven: [...document.querySelectorAll("table")].filter((t) =>
      [...t.rows].some((row) => row.cells.length !== t.rows[0].cells.length),
    ).length,
    twice: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, at, all) => all.indexOf(id) !== at),
    unlabelled: [...document.querySelectorAll("input")].filter((input) => !input.labels.length).length,
  }));
  expect(seen.language === language, `lang is ${seen.language}`);
  expect(seen.h1 === 1, `${seen.h1} main headings`);
  expect(seen.levels.every((level, at) => at === 0 || level <= seen.levels[at - 1] + 1), `headings: ${seen.levels}`);
  expect(seen.landmarks.join() === "1,1,1", `landmarks: ${seen.landmarks}`);
  for (const fault of ["unnamed", "bare", "uneven", "unlabelled"]) expect(seen[fault] === 0, `${seen[fault]} ${fault}`);
  expect(seen.twice.length === 0, `ids twice: ${seen.twice}`);
  await close();
}

async function contrast(browser, path, colorScheme) {
  const { page, close } = await open(browser, path, { colorScheme });
  const poor = await page.evaluate(poorContrast);
  expect(poor.length === 0, `poor contrast: ${poor.slice(0, 5).join("; ")}`);
  await close();
}

async function withoutScript(browser, path) {
  const { page, close } = await open(browser, path, { javaScriptEnabled: false });
  expect((await shown(page, "#filter")) === 0, "a filter that does nothing is shown");
  const rows = await page.locator("table.messages tbody tr").count();
  expect(rows > 0 && (await shown(page, "table.messages tbody tr")) === rows, "messages are hidden");
  await close();
}

async function filter(browser, path) {
  const { page, close } = await open(browser, path);
  const search = page.getByRole("searchbox");
  const status = page.getByRole("status");
  const all = await shown(page, "table.messages tbody tr");
  await search.fill("NOIR jade");
  expect((await shown(page, "table.messages tbody tr")) === 1, "one message is about Jade Noir");
  await search.fill("prenom");
  expect((await shown(page, "table.messages tbody tr")) > 0, "prenom finds Prénom");
  await search.fill("no such words");
  expect((await shown(page, "tbody tr")) === (await shown(page, "table:not(.messages):not(.changes) tbody tr")), "nothing fits");
  expect((await status.textContent()).includes("0 / "), `the count is told: ${await status.textContent()}`);
  expect((await shown(page, "section.group")) === 0, "empty groups go");
  await search.fill("");
  const errors = await shown(page, "section.group.error tbody tr");
  await page.locator("label.level.error input").uncheck();
  expect((await shown(page, "table.messages tbody tr")) === all - errors, "refused rows are hidden");
  await page.locator("label.level.error input").check();
  await search.press("Enter");
  expect((await shown(page, "table.messages tbody tr")) === all, "everything is back");
  await close();
}

async function keyboard(browser, path) {
  const { page, close } = await open(browser, path);
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
  await page.keyboard.press("Tab");
  expect((await focused()) === "skip", `first stop: ${await focused()}`);
  expect((await shown(page, ".skip")) === 1, "the skip link shows itself");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  expect((await focused()) === "filter-text", `after the jump: ${await focused()}`);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  expect(outline !== "none", "focus cannot be seen");
  await close();
}

async function narrow(browser, path) {
  const { page, close } = await open(browser, path, { viewport: { width: 320, height: 640 } });
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
  expect(wide <= 0, `the page is ${wide} px wider than a phone`);
  await close();
}

async function paper(browser, path) {
  const { page, close } = await open(browser, path, { colorScheme: "dark" });
  await page.emulateMedia({ media: "print" });
  expect((await shown(page, "#filter")) === 0, "the filter is printed");
  expect((await page.evaluate(poorContrast)).length === 0, "poor contrast on paper");
  const behind = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(behind === "rgb(255, 255, 255)", `paper is ${behind}`);
  expect((await page.pdf({ format: "A4" })).length > 10000, "no PDF");
  await close();
}

async function hostile(browser, path) {
  const { page, complaints, close } = await open(browser, path);
  const text = await page.locator("main").textContent();
  for (const raw of ["<script>window.hacked=1</script>", "<img src=x onerror=window.hacked=2>"]) {
    expect(text.toLowerCase().includes(raw), `${raw} is not told as it came`);
  }
  expect(!text.includes("1990") && text.includes("•••"), "a birth date is shown");
  for (const element of await page.locator("b, bdi").all()) await element.click({ force: true, timeout: 2000 }).catch(() => {});
  expect((await page.evaluate(() => window.hacked)) === undefined, "a value ran as a script");
  expect(complaints.length === 0, complaints.join("; "));
  await close();
}

async function held(browser, path) {
  const { page, close } = await open(browser, path);
  const text = (await page.locator("main").textContent()).replace(/\s+/g, " ");
  expect(text.includes("rollcall imports approve "), "how to approve is not told");
  expect((await page.locator("tr.tripped").count()) > 0, "no guard is marked");
  const order = await page.evaluate(() => [...document.querySelectorAll("h2")].map((h) => h.id));
  expect(order.indexOf("guards") < order.indexOf("messages"), `order: ${order}`);
  expect((await shown(page, "table.changes tbody tr")) > 0, "what would change is not listed");
  await close();
}

async function picture(browser, name, path) {
  for (const [kind, options] of Object.entries({
    light: { colorScheme: "light" },
    dark: { colorScheme: "dark" },
    phone: { viewport: { width: 390, height: 844 } },
  })) {
    const { page, close } = await open(browser, path, options);
    await page.screenshot({ path: join(pictures, `${name}-${kind}.png`), fullPage: kind !== "phone" });
    if (kind === "light") writeFileSync(join(pictures, `${name}.pdf`), await page.pdf({ format: "A4" }));
    await close();
  }
}

export async function reports(browser) {
  try {
    await all(browser);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function all(browser) {
  writeFileSync(join(place, "hostile.csv"), HOSTILE);
  const story = (name, file) => join(samples, name, file);
  const made = {
    errors: pages("errors", [], [join(samples, "every-error.csv")]),
    hostile: pages("hostile", [], [join(place, "hostile.csv")]),
    held: pages("held", ['guards={endings={count=1,percent=10}}'], [story("held", "1-before.csv"), story("held", "2-endings.csv")]),
    pending: pages("pending", [], [story("renumbered", "1-before.csv"), story("renumbered", "2-after.csv")]),
    refused: pages("refused", [], [story("unreadable", "login-page.csv")]),
  };
  for (const [name, languages] of Object.entries(made)) {
    for (const [language, path] of Object.entries(languages)) {
      await check(`${name} ${language}: nothing is asked for and nothing complains`, () => quiet(browser, path));
      await check(`${name} ${language}: landmarks, headings, tables, labels`, () => structure(browser, path, language));
      await check(`${name} ${language}: fits a phone`, () => narrow(browser, path));
    }
    for (const scheme of ["light", "dark"]) {
      await check(`${name}: contrast in ${scheme}`, () => contrast(browser, languages.en, scheme));
    }
    await check(`${name}: paper`, () => paper(browser, languages.de));
    if (pictures) await picture(browser, name, languages.en);
  }
  await check("readable without script", () => withoutScript(browser, made.errors.fr));
  await check("filter by text and level", () => filter(browser, made.errors.fr));
  await check("keyboard", () => keyboard(browser, made.errors.en));
  await check("what strangers wrote is text", () => hostile(browser, made.hostile.en));
  await check("a held file says what to do", () => held(browser, made.held.en));
  await check("the page is one file", async () => {
    expect(!/(?:src|href)="(?!#)/.test(readFileSync(made.errors.en, "utf8")), "it names another file");
  });
}
