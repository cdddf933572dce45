// A file that is expected by the hour and does not come, in German: asked for on the settings page, told on the start page.

import { expect } from "../suite.mjs";
import { everyWay, until } from "./eyes.mjs";

// Two minutes from now by the clock of the client, so that the hour passes while the other journeys go on.
export async function silence({ page, go }) {
  const soon = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Paris", hour: "2-digit", minute: "2-digit" }).format(Date.now() + 120_000);
  await go("/clients/late/folders/import/schedule");
  await page.locator("[name='expected.by']").fill(soon);
  for (const day of await page.locator("[name='expected.days']").all()) await day.check();
  await page.getByRole("button", { name: "Speichern", exact: true }).click();
  expect((await page.locator(".said.good").count()) === 1, "it is saved");
}

export async function silent({ page, go }) {
  await go("/");
  await until("the start page says which file is missed", async () => (await page.locator("main").innerText()).includes("Keine Datei seit"));
  await everyWay(page, "today-silent-de");
  await page.getByRole("link", { name: "late, import" }).click();
  expect(page.url().includes("/clients/late/imports"), `the folder's imports: ${page.url()}`);
}
