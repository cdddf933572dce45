// Two jobs done in other ways: by keyboard alone, and without script on a phone.

import { check, expect } from "../suite.mjs";
import { fits, picture, until } from "./eyes.mjs";
import { fileIn, roster } from "./files.mjs";

// `window` is an operator's in English; `plain` opens one without script, signed in.
export async function ways(server, window, plain) {
  const { rollcall, place } = server;
  rollcall("client", "add", "harbour", "--name", "Harbour Ltd", "--language", "en");
  rollcall("account", "add", "harbour", "Payroll", "--login", "harbour-payroll");
  const send = (name, content) => JSON.parse(rollcall("--json", "import", "harbour", fileIn(place, name, content))).import;
  send("first.csv", roster(8));
  rollcall("settings", "set", "harbour", "import", "guards.endings.count=1");
  const id = send("second.csv", roster(8, (person, at) => { if (at > 5) person.dtContractEnd = "2020-12-31"; }));
  await check("by keyboard alone: a held import is found, read and approved", () => byKeyboard(window, server, id));
  await check("without script, on a phone: a file is tried, read and imported; people are filtered; a menu is used", () => withoutScript(plain, server));
}

const focused = (page) => page.evaluate(() => (document.activeElement.innerText || document.activeElement.value || "").trim());

// Presses Tab until the focus is on what has these words, as people who see it would.
async function reach(page, words) {
  for (let stop = 0; stop < 120; stop += 1) {
    await page.keyboard.press("Tab");
    if ((await focused(page)) === words) {
      const seen = await page.evaluate(() => {
        const box = document.activeElement.getBoundingClientRect();
        return getComputedStyle(document.activeElement).outlineStyle !== "none" && box.bottom > 0 && box.top < innerHeight;
      });
      expect(seen, `the focus on "${words}" cannot be seen`);
      return;
    }
  }
  throw new Error(`"${words}" is not reached by Tab`);
}

async function byKeyboard({ page, go }, server, id) {
  await go("/");
  await reach(page, "second.csv");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/imports/${id}`);
  await reach(page, "Approve…");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/imports/${id}/approve`);
  await reach(page, "Approve and apply");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === `/imports/${id}`);
  const status = JSON.parse(server.rollcall("--json", "imports", "show", id)).status;
  expect(["ok", "ok_with_warnings"].includes(status), `approved by keyboard: ${status}`);
  await go("/clients/harbour/accounts");
  await reach(page, "⋯");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const first = await focused(page);
  expect(first.length > 3 && (await page.locator(".menu[open]").count()) === 1, `in the menu: ${first}`);
  await page.keyboard.press("Escape");
  expect((await focused(page)) === "⋯" && (await page.locator(".menu[open]").count()) === 0, "Escape closes it and goes back");
}

async function withoutScript({ page, go }, server) {
  await go("/clients/harbour/try");
  await page.locator("#file").setInputFiles({ name: "phone.csv", mimeType: "text/csv", buffer: Buffer.from(roster(9)) });
  await page.getByRole("button", { name: "Try it" }).click();
  expect((await page.locator("main").innerText()).includes("IVER Ida"), "what would change");
  await fits(page);
  await picture(page, "tried-plain", "phone");
  await page.getByRole("button", { name: "Import it" }).click();
  await page.waitForURL(/\/imports\/[0-9a-f-]{36}$/);
  const id = page.url().split("/").at(-1);
  await until("the import has ended", () => JSON.parse(server.rollcall("--json", "imports", "show", id)).status !== "waiting");
  await page.reload();
  expect((await page.locator("#summary").count()) === 1, "the page shows the report once it is loaded again");
  await go("/clients/harbour/users");
  await page.getByLabel("Search").fill("iver");
  await page.getByRole("button", { name: "Show" }).click();
  expect((await page.locator("main tbody tr").count()) === 1, "one person is found");
  await fits(page);
  await go("/clients/harbour/accounts");
  await page.locator(".menu > summary").first().click();
  await page.locator(".menu[open] a").first().click();
  expect(page.url().includes("/accounts/harbour-payroll"), `the menu leads on: ${page.url()}`);
}
