// People, their quality and what goes out about them, in English.

import { readFileSync } from "node:fs";

import { check, expect } from "../suite.mjs";
import { everyWay, until } from "./eyes.mjs";
import { fileIn, NIGHT, roster } from "./files.mjs";

export async function people(server, window) {
  const { rollcall, place } = server;
  rollcall("client", "add", "bakery", "--name", "Bell Bakery", "--language", "en");
  rollcall("account", "add", "bakery", "Payroll", "--login", "bakery-payroll");
  const send = (name, content) => JSON.parse(rollcall("--json", "import", "bakery", fileIn(place, name, content)));
  send("march.csv", roster(12, (person, at) => {
    if (at === 11) person.dtContractEnd = "2021-06-30";
    if (at === 5) person.manager = "002";
    if (at === 6) person.manager = "";
  }));
  const user = (number) => JSON.parse(rollcall("--json", "users", "list", "bakery")).find((one) => one.employee_number === number);
  const of = { ...window, server, send, user };
  await check("users: found while one types, and by filters", () => search(of));
  await check("users: a card with contract, managers, origins and history", () => card(of));
  await check("users: a value changed by hand stays when the same file comes again", () => edit(of));
  await check("users: somebody is added by hand; what is refused keeps what was typed", () => add(of));
  await check("users: the directory as it was known on a day", () => asOf(of));
  await check("users: the list is saved as a file", () => saveList(of));
  await check("quality: from the clients to the people who lack something", () => quality(of));
  await check("exports: added, previewed, run; the file lies for the other side", () => exports(of));
  await check("exports: a refused form keeps what was typed", () => exportRefused(of));
}

const text = (page) => page.locator("main").innerText();
const rows = (page) => page.locator("main table tbody tr");

async function search({ page, go }) {
  await go("/clients/bakery");
  await page.getByRole("link", { name: "Users", exact: true }).click();
  expect((await rows(page).count()) === 11, `eleven people work there: ${await rows(page).count()}`);
  await page.getByLabel("Search").pressSequentially("iver");
  await until("one person is left", async () => (await rows(page).count()) === 1);
  expect((await text(page)).includes("Ida"), "it is Ida Iver");
  expect((await page.evaluate(() => document.activeElement.id)) === "text", "the cursor stays in the field");
  await page.getByLabel("Search").fill("");
  await page.getByLabel("State").selectOption("ended");
  await until("who has left", async () => (await rows(page).count()) === 1 && (await text(page)).includes("Lang"));
  await page.getByLabel("State").selectOption("");
  await page.getByText("More filters").click();
  await page.getByLabel("Manager").fill("Ben Bell");
  await until("whom Ben manages", async () => (await rows(page).count()) === 1 && (await text(page)).includes("Ford"));
  await everyWay(page, "users-filtered-en");
}

async function card({ page, go }) {
  await go("/clients/bakery/users?text=ford");
  await page.getByRole("link", { name: /Ford/ }).click();
  const card = await text(page);
  for (const words of ["2020-01-06", "march.csv", "finn.ford@example.org", "Managers", "History"]) expect(card.includes(words), `the card has no "${words}"`);
  const above = await page.locator("ol li").allInnerTexts();
  expect(above.length === 2 && /Bell/.test(above[0]) && /Abel/.test(above[1]), `the chain of managers: ${above.join(" > ")}`);
  await page.locator("ol li a").first().click();
  expect((await page.locator("h1").innerText()).includes("Bell"), "a manager's own card");
  expect((await text(page)).includes("Manages"), "who reports to them");
  await page.getByRole("link", { name: /march\.csv/ }).first().click();
  expect(page.url().includes("/imports/"), "a value's origin leads to its import");
}

async function edit({ page, go, send, user }) {
  const before = user("006");
  await go(`/clients/bakery/users/${before.id}`);
  await page.getByRole("link", { name: "Change values" }).click();
  await page.locator("[name=job_title]").fill("Head of bread <&> rolls");
  await everyWay(page, "user-edit-en");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(`**/users/${before.id}`);
  expect(user("006").job_title === "Head of bread <&> rolls", user("006").job_title);
  expect((await page.locator("table").last().innerText()).includes("anna"), "the history says who changed it");
  const report = send("march-again.csv", roster(12, (person, at) => {
    if (at === 11) person.dtContractEnd = "2021-06-30";
    if (at === 5) person.manager = "002";
    if (at === 6) person.manager = "";
    if (at === 7) person.jobTitle = "Baker";
  }));
  expect(user("006").job_title === "Head of bread <&> rolls" && user("008").job_title === "Baker", `${report.summary} ${user("006").job_title}`);
  expect(report.messages.some((one) => one.code === "P701"), "the report says that a value made by hand stays");
  await go(`/clients/bakery/users/${before.id}/edit`);
  await page.locator("[name=contract_start]").fill("2031-01-01");
  await page.locator("[name=contract_end]").fill("2030-01-01");
  await page.getByRole("button", { name: "Save" }).click();
  expect((await page.getByRole("alert").count()) === 1, "an end before the start is refused");
  expect((await page.locator("[name=contract_start]").inputValue()) === "2031-01-01", "what was typed is still there");
  expect(user("006").contract_start === "2020-01-06", "nothing has changed");
  await everyWay(page, "user-refused-en");
}

async function add({ page, go, user }) {
  await go("/clients/bakery/users");
  await page.getByRole("link", { name: "Add a user" }).click();
  await page.locator("[name=employee_number]").fill("001");
  for (const [name, value] of [["first_name", "Mia"], ["last_name", "Moss"], ["contract_start", "2026-01-05"], ["legal_entity", "FR01"]]) {
    await page.locator(`[name=${name}]`).fill(value);
  }
  await page.getByRole("button", { name: "Add the user" }).click();
  expect((await page.getByRole("alert").count()) === 1, "a number that somebody has is refused");
  expect((await page.locator("[name=last_name]").inputValue()) === "Moss", "what was typed is still there");
  expect(user("001").last_name === "Abel", "nobody was written over");
  await page.locator("[name=employee_number]").fill("100");
  await page.locator("[name=manager]").fill("002");
  await page.getByRole("button", { name: "Add the user" }).click();
  await page.waitForURL(/\/users\/\d+$/);
  expect((await page.locator("h1").innerText()).includes("Moss"), "the new person's card");
  expect(user("100").first_name === "Mia" && (await page.locator("ol li").count()) === 2, "with a chain of managers");
}

async function asOf({ page, go }) {
  await go("/clients/bakery/users");
  await page.getByText("More filters").click();
  await page.getByLabel("As known on").fill("2021-01-01");
  await page.getByText("Nobody is here.").waitFor();
  expect((await text(page)).includes("as it was known at the end of"), "the page says of which day it is");
  const today = new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/Paris" }).format(new Date());
  await page.getByLabel("As known on").fill(today);
  await until("today's people", async () => (await rows(page).count()) === 12);
  await page.getByRole("link", { name: /Ford/ }).click();
  expect((await text(page)).includes("As known at the end of") && (await page.getByRole("link", { name: "Change values" }).count()) === 0, "the past cannot be changed");
  await everyWay(page, "user-as-of-en");
  await page.getByRole("link", { name: "Show today" }).click();
  expect((await page.getByRole("link", { name: "Change values" }).count()) === 1, "today can");
}

async function saved(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return { name: download.suggestedFilename(), content: readFileSync(await download.path(), "utf8") };
}

async function saveList({ page, go }) {
  await go("/clients/bakery/users?text=ford");
  await page.locator("summary", { hasText: "Save the list" }).click();
  await everyWay(page, "users-menu-en");
  const file = await saved(page, page.locator(".menu[open] a").first());
  expect(/\.csv$/.test(file.name) && file.content.includes("Ford") && !file.content.includes("Abel"), `${file.name}: ${file.content.slice(0, 300)}`);
}

async function quality({ page, go }) {
  await go("/quality");
  await page.getByRole("link", { name: "Bell Bakery" }).click();
  const line = page.getByRole("row", { name: /No manager/ });
  const count = Number((await line.locator("td").innerText()).trim());
  await line.getByRole("link").click();
  expect(count > 0 && (await rows(page).count()) === count, `${count} without a manager, ${await rows(page).count()} listed`);
  expect((await text(page)).includes("Gray"), "Gus Gray has none");
}

async function exports({ page, go, server }) {
  await go("/clients/bakery/exports");
  await page.getByRole("link", { name: "Add an export" }).click();
  await page.locator("#name").fill("badges");
  await page.locator("[name=trigger][value=times]").check();
  await page.locator("#times").fill(`daily ${NIGHT}`);
  await page.locator("#columns").fill("employee_number\nlast_name\nfirst_name");
  await everyWay(page, "export-new-en");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/\/exports\/badges$/);
  await page.getByRole("link", { name: "Preview" }).click();
  const preview = await text(page);
  expect(preview.includes("Moss") && preview.includes("employee_number"), preview.slice(0, 300));
  await everyWay(page, "export-preview-en");
  await page.getByRole("button", { name: "Run now" }).click();
  await page.waitForURL(/\/exports\/badges$/);
  expect((await rows(page).count()) === 1 && /\s13\s/.test(await rows(page).first().innerText()), `one run of 13 rows, the twelve of the file and who was added: ${await rows(page).first().innerText()}`);
  await go("/clients/bakery/exports");
  await page.getByRole("link", { name: "Files handed over" }).click();
  const line = rows(page).first();
  expect((await line.innerText()).includes("badges"), await line.innerText());
  const file = await saved(page, line.getByRole("link", { name: "Download" }));
  expect(file.name.startsWith("badges_") && file.content.includes("Moss"), `${file.name}: ${file.content.slice(0, 200)}`);
  const runs = JSON.parse(server.rollcall("--json", "exports", "show", "bakery", "badges")).runs;
  expect(runs.length === 1, `${runs.length} runs`);
  await go("/clients/bakery/exports/badges");
  await page.locator(".menu > summary").click();
  await everyWay(page, "export-menu-en");
  await page.getByRole("button", { name: "Disable" }).click();
  expect((await page.locator("h1 .badge").innerText()) === "Disabled", "it is disabled");
}

async function exportRefused({ page, go }) {
  await go("/clients/bakery/exports/new");
  await page.locator("#name").fill("badges");
  await page.locator("#dates").fill("DD.MM.YYYY");
  await page.getByRole("button", { name: "Save" }).click();
  expect((await page.getByRole("alert").count()) === 1, "a name that is taken is refused");
  expect((await page.locator("#dates").inputValue()) === "DD.MM.YYYY", "what was typed is still there");
}
