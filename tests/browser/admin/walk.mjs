// Every page that links lead to: none is missing, each can be read by everybody, in three languages.

import { check, expect } from "../suite.mjs";
import { everyWay, fits, onPhone, picture } from "./eyes.mjs";
import { forgotten, texts } from "./words.mjs";

// How many addresses are asked for, and how many of one kind.
const MOST = 600;
const OF_A_KIND = 4;
// Names that the test gave or that the samples hold; a text with one of them is data.
const NAMES = ["Bernard", "Serveur du client", "Abadie", "Armand", "Chargée", "Acme", "Lumière", "Nordwind", "Quiet", "Late Ltd", "Moulin & Cie", "Usine du Nord", "Werk Süd", "Bell Bakery", "Harbour Ltd", "hacked", "anna", "Payroll", "Europe/", "@", "SHA256", ".csv", "http", "GMT"];

// The kind of an address: its path without what names one client, account, person …, and the names in its query.
export function kindOf(address) {
  const url = new URL(address, "http://x");
  const parts = url.pathname.split("/").map((part, at, all) => {
    const before = all[at - 1];
    const named = ["clients", "accounts", "imports", "users", "folders", "exports", "drops", "lists", "runs", "mappings", "administrators", "tokens"];
    if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(part) || /^\d+$/.test(part) || /^[0-9a-f]{16,}$/.test(part)) return "{id}";
    return named.includes(before) && part !== "new" && !(before === "users" && part === "export") ? `{${before}}` : part;
  });
  return `${parts.join("/")}?${[...new Set(url.searchParams.keys())].sort()}`;
}

const linksOf = (page) =>
  page.evaluate(() => [...document.querySelectorAll("a[href], iframe[src]")].map((a) => a.getAttribute("href") ?? a.getAttribute("src")));

// Follows every link from the start page; answers one address for each kind of page.
export async function crawl(window, base, start = ["/"]) {
  const { page, context, go } = window;
  const queue = [...start];
  const seen = new Set(queue);
  const kinds = new Map();
  const broken = [];
  const pages = new Map();
  for (let at = 0; at < queue.length && at < MOST; at += 1) {
    const address = queue[at];
    const kind = kindOf(address);
    const count = (kinds.get(kind) ?? 0) + 1;
    kinds.set(kind, count);
    if (count > OF_A_KIND) continue;
    const answer = await context.request.get(base + address, { maxRedirects: 0 });
    const html = (answer.headers()["content-type"] ?? "").startsWith("text/html");
    const saved = (answer.headers()["content-disposition"] ?? "").startsWith("attachment");
    if (answer.status() >= 400) broken.push(`${answer.status()} ${address}`);
    if (answer.status() !== 200 || !html || saved) continue;
    const response = await go(address);
    expect(response.status() === 200, `${address} answered ${response.status()} at second sight`);
    // What is no page of ours (the HTML report) has tests of its own.
    if ((await page.locator("header.top, .door").count()) === 0) continue;
    if (!pages.has(kind)) pages.set(kind, address);
    for (const link of await linksOf(page)) {
      const url = new URL(link, base + address);
      if (url.origin !== base || !["http:", "https:"].includes(url.protocol)) continue;
      const path = url.pathname + url.search;
      if (seen.has(path)) continue;
      seen.add(path);
      queue.push(path);
    }
  }
  return { pages: [...pages.values()], broken, asked: seen.size };
}

// A short name for pictures.
const nameOf = (address) => kindOf(address).replace(/\?$/, "").replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "today";

// Walks over one page of each kind, in three languages: `windows` has one of somebody signed in for each.
export async function walk(windows, base) {
  // A client with everything first, so that pictures show it.
  const found = await crawl(windows.en, base, ["/", "/clients/acme", "/accounts/acme-payroll"]);
  await check(`links: ${found.asked} addresses, none broken`, () => {
    expect(found.broken.length === 0, found.broken.slice(0, 20).join("\n"));
    expect(found.pages.length > 20, `only ${found.pages.length} kinds of pages are linked`);
  });
  const english = new Map();
  for (const address of found.pages) {
    await check(`en ${address}`, async () => {
      await windows.en.go(address);
      english.set(address, await texts(windows.en.page));
      await everyWay(windows.en.page, `${nameOf(address)}-en`);
    });
  }
  for (const [language, wide, narrow] of [["fr", "light", "dark"], ["de", "dark", "light"]]) {
    const { page, go } = windows[language];
    for (const address of found.pages) {
      await check(`${language} ${address}`, async () => {
        await go(address);
        expect((await page.evaluate(() => document.documentElement.lang)) === language, "the page's language");
        const left = forgotten(english.get(address) ?? [], await texts(page), NAMES);
        await page.emulateMedia({ colorScheme: wide });
        await picture(page, `${nameOf(address)}-${language}`, `${wide}-wide`);
        await page.emulateMedia({ colorScheme: narrow });
        await onPhone(page, () => fits(page), `${nameOf(address)}-${language}`, narrow);
        expect(left.length === 0, `still English: ${left.slice(0, 12).join(" | ")}`);
      });
    }
  }
  for (const language of ["en", "fr", "de"]) {
    await check(`${language}: no page complains or asks elsewhere`, () => windows[language].quiet());
  }
  return found.pages;
}
