// The administration page in a real browser, against the real program: set up, walked through, used by keyboard and without script.

import { check, expect, shown, wanted } from "./suite.mjs";
import { accounts } from "./admin/accounts.mjs";
import { everyWay, open } from "./admin/eyes.mjs";
import { house } from "./admin/house.mjs";
import { imports } from "./admin/imports.mjs";
import { nightly } from "./admin/nightly.mjs";
import { people } from "./admin/people.mjs";
import { serverSide } from "./admin/server.mjs";
import { settings } from "./admin/settings.mjs";
import { silence, silent } from "./admin/silence.mjs";
import { crawl, walk } from "./admin/walk.mjs";
import { ways } from "./admin/ways.mjs";

export const PASSWORD = "a-long-enough-password";

const PLAIN = { javaScriptEnabled: false, viewport: { width: 360, height: 740 } };

export async function admin(browser) {
  const server = await house();
  try {
    await check("the set-up link makes the first administrator, once", () => setUp(browser, server));
    if (wanted("door")) {
      await check("the language is chosen before anybody signs in", () => languages(browser, server));
      await check("signed in and out by keyboard alone", () => byKeyboard(browser, server));
      await check("signed in and out without script, also on a phone", () => withoutScript(browser, server));
    }
    const windows = { en: await signedIn(browser, server) };
    for (const [language, name] of [["fr", "benoit"], ["de", "clara"]]) windows[language] = await invited(browser, server, name, language);
    await journeys(browser, server, windows);
    if (wanted("clerk")) await check("a client's clerk sees nothing of others", () => clerk(browser, server));
    if (wanted("walk")) await walk(windows, server.base);
    for (const window of Object.values(windows)) await window.close();
  } finally {
    await server.end();
  }
}

// What people do here, each journey in one language.
async function journeys(browser, server, windows) {
  if (wanted("silence")) await check("a file is expected by the hour", () => silence(windows.de));
  if (wanted("accounts")) await accounts(browser, server, windows.en);
  if (wanted("imports")) await imports(server, windows.fr);
  if (wanted("settings")) await settings(server, windows.de, windows.en);
  if (wanted("nightly")) await nightly(server, windows.en);
  if (wanted("people")) await people(server, windows.en);
  if (wanted("ways")) {
    const plain = await signedIn(browser, server, PLAIN);
    await ways(server, windows.en, plain);
    await plain.close();
  }
  if (wanted("server")) await serverSide(browser, server, windows.fr);
  if (wanted("silence")) await check("a file that did not come by the hour is told on the start page", () => silent(windows.de));
}

// The first administrator comes by the link that `serve` prints.
async function setUp(browser, server) {
  const window = await open(browser, server.base);
  const { page } = window;
  await page.goto(server.ready.set_up);
  await everyWay(page, "set-up-en");
  await page.getByLabel("Name to sign in with").fill("anna");
  await page.getByLabel(/^Password/).fill(PASSWORD);
  await page.getByLabel("The same password again").fill("another-long-password");
  await page.getByRole("button", { name: "Go on" }).click();
  expect((await page.getByRole("alert").textContent()).includes("differ"), "two different passwords are taken");
  await page.getByLabel(/^Password/).fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL(`${server.base}/`);
  expect((await page.getByRole("link", { name: "anna" }).count()) === 1, "whoever set it up is signed in");
  const again = await page.goto(server.ready.set_up);
  expect(again.status() === 404, `the link works twice (${again.status()})`);
  window.quiet();
  await window.close();
}

// Whoever is not signed in chooses at the foot of the page; the choice stays.
async function languages(browser, server) {
  const window = await open(browser, server.base, { locale: "de-DE" });
  const { page, go } = window;
  await go("/sign-in?next=%2Fimports");
  expect((await page.locator("h1").textContent()) === "Anmelden", "the browser's language comes first");
  await page.getByRole("button", { name: "Français" }).click();
  expect((await page.locator("h1").textContent()) === "Connexion", "French was chosen");
  expect(page.url().endsWith("/sign-in?next=%2Fimports"), `where to go on is kept: ${page.url()}`);
  for (const [button, name] of [["Français", "fr"], ["Deutsch", "de"], ["English", "en"]]) {
    await page.getByRole("button", { name: button }).click();
    await everyWay(page, `sign-in-${name}`);
  }
  window.quiet();
  await window.close();
}

async function signIn(page, go) {
  await go("/sign-in");
  await page.getByLabel("Name").fill("anna");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function signedIn(browser, server, options) {
  const window = await open(browser, server.base, options);
  await signIn(window.page, window.go);
  await window.page.waitForURL(`${server.base}/`);
  return window;
}

// Somebody who was added on the command line and comes by their own link.
async function invited(browser, server, name, language, ...more) {
  const link = server.rollcall("admin", "add", name, "--language", language, ...more).match(/\/set-up\/\w+/)[0];
  const window = await open(browser, server.base, { locale: `${language}-${language.toUpperCase()}` });
  await window.go(link);
  await window.page.locator("#password").fill(PASSWORD);
  await window.page.locator("#again").fill(PASSWORD);
  await window.page.locator("form[action^='/set-up'] button").click();
  await window.page.waitForURL(`${server.base}/`);
  return window;
}

// Whoever is bound to one client finds every page of it, and on none of them anything of another.
async function clerk(browser, server) {
  const window = await invited(browser, server, "dora", "en", "--role", "client", "--client", "lumiere");
  const found = await crawl(window, server.base);
  expect(found.broken.length === 0, `links that are refused: ${found.broken.slice(0, 8).join(", ")}`);
  for (const address of found.pages) {
    await window.go(address);
    const html = await window.page.content();
    for (const name of ["Acme", "acme", "Nordwind", "nordwind", "Quiet"]) expect(!html.includes(name), `${address} names ${name}`);
  }
  for (const address of ["/clients/acme", "/clients/acme/users", "/accounts/acme-payroll", "/clients/nothing"]) {
    const answer = await window.go(address);
    expect(answer.status() === 403, `${address} is answered ${answer.status()}`);
  }
  window.quiet();
  await window.close();
}

async function byKeyboard(browser, server) {
  const window = await open(browser, server.base);
  const { page, go } = window;
  const focused = () => page.evaluate(() => document.activeElement.name || document.activeElement.className || document.activeElement.textContent.trim());
  await go("/sign-in");
  await page.keyboard.press("Tab");
  expect((await focused()) === "skip", `first stop: ${await focused()}`);
  await page.keyboard.press("Enter");
  for (const [name, value] of [["name", "anna"], ["password", PASSWORD]]) {
    await page.keyboard.press("Tab");
    expect((await focused()) === name, `after the jump: ${await focused()}`);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    expect(outline !== "none", "the focus cannot be seen");
    await page.keyboard.type(value);
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.base}/`);
  for (let stop = 0; stop < 30 && (await focused()) !== "Clients"; stop += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${server.base}/clients`);
  await page.setViewportSize({ width: 360, height: 740 });
  for (let stop = 0; stop < 5 && !(await focused()).includes("unfold"); stop += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  expect((await shown(page, "#navigation")) === 1, "the navigation opens by keyboard");
  await page.keyboard.press("Escape");
  expect((await shown(page, "#navigation")) === 0, "Escape closes the navigation");
  window.quiet();
  await window.close();
}

async function withoutScript(browser, server) {
  const window = await signedIn(browser, server, PLAIN);
  const { page, quiet, close } = window;
  expect((await shown(page, "#navigation")) === 0, "the navigation is folded on a phone");
  await page.getByRole("button", { name: "Menu" }).click();
  expect((await shown(page, "#navigation")) === 1, "it unfolds without script");
  await page.getByRole("link", { name: "Clients" }).click();
  await page.waitForURL(`${server.base}/clients`);
  await page.setViewportSize({ width: 1280, height: 900 });
  expect((await shown(page, "#navigation")) === 1, "a wide window always shows it");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${server.base}/sign-in`);
  quiet();
  await close();
}
