// What the browser tests share: the binary, the browser, counting, and questions that every page is asked.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const modules = resolve(process.env.NODE_MODULES ?? join(import.meta.dirname, "../../.tools/browser/node_modules"));
const load = createRequire(join(modules, "x.js"));

// The program under test.
export const binary = resolve(process.argv[2] ?? "target/debug/rollcall");
const flag = process.argv.indexOf("--pictures");
// Where pictures go; null: none are taken.
export const pictures = flag > 0 ? resolve(process.argv[flag + 1]) : null;
if (pictures) mkdirSync(pictures, { recursive: true });

const only = process.argv.includes("--journeys") ? process.argv[process.argv.indexOf("--journeys") + 1].split(",") : null;
// Whether a journey over the administration page was asked for; all of them are when none is named.
export const wanted = (journey) => only === null || only.includes(journey);

// axe-core as text, to be evaluated inside a page.
export const axePath = () => load.resolve("axe-core/axe.min.js");

// How long a browser may take for a step, on a machine that is many times slower than this one.
export const PATIENCE_MS = 180_000;

// Debian's Chromium, which talks to nobody by itself.
export async function launch() {
  const quiet = ["background-networking", "component-update", "sync", "default-apps", "gpu", "dev-shm-usage"].map((part) => `--disable-${part}`);
  const browser = await load("playwright-core").chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--no-first-run", ...quiet],
    timeout: PATIENCE_MS,
  });
  await clicksArrive(browser);
  return browser;
}

// A click that leads to another page waits until that page has begun; whoever counts what is on it must wait until it has come whole.
async function clicksArrive(browser) {
  const page = await browser.newPage();
  const locators = Object.getPrototypeOf(page.locator("body"));
  const click = locators.click;
  locators.click = async function (...options) {
    await click.apply(this, options);
    await this.page().waitForLoadState("load");
  };
  await page.close();
}

// The command line on the data folder of a test.
export function rollcallIn(place) {
  const places = ["--data", join(place, "data"), "--certs", join(place, "certs")];
  return (...args) => {
    try {
      return execFileSync(binary, [...places, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    } catch (error) {
      if (error.status === 1 && args.find((word) => !word.startsWith("--")) === "import") return error.stdout; // a held or refused file
      throw new Error(`rollcall ${args.join(" ")}: ${error.stderr}`);
    }
  };
}

// How many checks passed and failed.
export const counts = { passed: 0, failed: 0 };

// One check: what fails is told and the next one goes on.
export async function check(name, run) {
  try {
    await run();
    counts.passed += 1;
  } catch (error) {
    counts.failed += 1;
    const lines = String(error.message).split("\n").slice(0, 12);
    console.log(`FAILED ${name}\n    ${lines.join("\n    ")}`);
  }
}

export function expect(truth, what) {
  if (!truth) throw new Error(what);
}

// How many elements of a selector can be seen.
export const shown = (page, selector) => page.locator(`${selector}:visible`).count();

// Every text whose contrast is below AA (4.5, or 3 where it is large), as a person sees it. Source: WCAG 2.2, 1.4.3.
export function poorContrast() {
  const part = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  // rgb(12, 34, 56 / .5) counts to 255, color(srgb .1 .2 .3 / .5) to 1.
  const rgb = (text) => (text.match(/[\d.]+(?=[,\s/)])/g) ?? []).map((part, at) => Number(part) * (at < 3 && text.startsWith("color(") ? 255 : 1));
  const light = ([r, g, b]) => 0.2126 * part(r / 255) + 0.7152 * part(g / 255) + 0.0722 * part(b / 255);
  // What shines through lies over what is behind it.
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const [r, g, b, opaque = 1] = rgb(getComputedStyle(element).backgroundColor);
    if (r === undefined || opaque === 0) return behind(element.parentElement);
    if (opaque === 1) return [r, g, b];
    return behind(element.parentElement).map((under, at) => under * (1 - opaque) + [r, g, b][at] * opaque);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.closest("script, style")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgb(style.color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${walker.currentNode.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}
