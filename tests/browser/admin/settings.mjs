// Import settings, mappings, columns, defaults and lists, in German: what is saved decides about the next file.

import { readFileSync } from "node:fs";

import { check, expect } from "../suite.mjs";
import { everyWay } from "./eyes.mjs";
import { fileIn, roster } from "./files.mjs";

// `window` is a German operator's, `second` a colleague's.
export async function settings(server, window, second) {
  const { rollcall, place } = server;
  rollcall("client", "add", "werk", "--name", "Werk Süd GmbH", "--language", "de");
  rollcall("account", "add", "werk", "Lohn", "--login", "werk-lohn");
  const send = (name, content) => JSON.parse(rollcall("--json", "import", "werk", fileIn(place, name, content)));
  const saved = () => rollcall("settings", "show", "werk", "import");
  const user = (number) => JSON.parse(rollcall("--json", "users", "list", "werk")).find((one) => one.employee_number === number);
  const of = { ...window, second, server, send, saved, user };
  await check("settings: a guard is set, and holds the next file", () => guard(of));
  await check("settings: a refused value says why and keeps what was typed", () => refused(of));
  await check("settings: of two who save at once the second is told, and loses nothing", () => twoPeople(of));
  await check("settings: a field goes back to its default", () => toDefault(of));
  await check("settings as text: a mistake names its line", () => asText(of));
  await check("mappings: two values become one in one go", () => mapTogether(of));
  await check("mappings: a rule for all other values", () => otherValues(of));
  await check("defaults by legal entity are given to new people", () => defaults(of));
  await check("columns: a sample shows a header that nobody knows, and it is assigned", () => columns(of));
  await check("lists: brought codes are accepted, named, loaded, and kept while somebody has them", () => lists(of));
  await check("encryption: a key is made, and its public half downloaded", () => encryption(of));
}

const at = (part) => `/clients/werk/folders/import/${part}`;
const save = (page) => page.getByRole("button", { name: "Speichern", exact: true });
const text = (page) => page.locator("main").innerText();
const good = async (page) => expect((await page.locator(".said.good").count()) === 1, `nothing says that it was saved: ${(await text(page)).slice(0, 300)}`);

async function guard({ page, go, send, saved }) {
  expect(send("august.csv", roster(10)).status === "ok", "the first file");
  await go("/clients/werk");
  await page.getByRole("link", { name: "Importeinstellungen" }).click();
  await page.locator("main table").getByRole("link", { name: "import" }).first().click();
  await page.getByRole("link", { name: "Schutzgrenzen" }).click();
  await page.locator("[name='guards.endings']").selectOption("own");
  await page.locator("[name='guards.endings.count']").fill("1");
  await page.locator("[name='guards.endings.percent']").fill("5");
  await save(page).click();
  await good(page);
  expect(/endings = \{ count = 1, percent = 5 \}/.test(saved()), saved());
  expect((await page.locator("[name='guards.endings.count']").inputValue()) === "1", "the form shows it");
  const held = send("september.csv", roster(10, (person, at) => { if ([2, 3].includes(at)) person.dtContractEnd = "2020-12-31"; }));
  expect(held.status === "held", `the next file: ${held.status}`);
}

async function refused({ page, go, saved }) {
  const before = saved();
  await go(at("settings"));
  await page.locator("[name='login_pattern']").fill("{first}.{nickname}");
  await save(page).click();
  expect((await page.locator(".wrong, [role=alert]").count()) > 0, "the refusal is told");
  expect((await page.locator("[name='login_pattern']").inputValue()) === "{first}.{nickname}", "what was typed is still there");
  expect((await page.locator("[aria-invalid=true]").count()) === 1, "its field is marked");
  expect(saved() === before, "nothing is saved");
  await everyWay(page, "settings-refused-de");
}

async function twoPeople({ page, go, second, saved }) {
  await go(at("settings"));
  await second.go(at("settings"));
  await second.page.locator("[name='login_pattern']").fill("{f}{last}");
  await second.page.getByRole("button", { name: "Save", exact: true }).click();
  await page.locator("[name='strict']").selectOption("true");
  await save(page).click();
  expect((await page.getByRole("alert").count()) === 1, "the second one is told");
  expect(!/^strict = true/m.test(saved()), "nothing is written over");
  await everyWay(page, "settings-two-people-de");
  await save(page).click();
  await good(page);
  expect(/^strict = true/m.test(saved()) && /^login_pattern = "\{f\}\{last\}"/m.test(saved()), "both changes stand");
}

async function toDefault({ page, go, saved, send }) {
  const broken = roster(10, (person, at) => { if (at === 1) person.employeeNumber = ""; });
  expect(send("streng.csv", broken).status === "rejected", "one refused row refuses the whole file");
  await go(at("settings"));
  await page.locator("[name='strict']").selectOption("");
  await page.locator("[name='login_pattern']").fill("");
  await save(page).click();
  await good(page);
  expect(!/^strict = true/m.test(saved()) && !/^login_pattern/m.test(saved()), saved());
  expect(send("milde.csv", broken).status === "partial", "only that row is refused");
}

async function asText({ page, go, saved }) {
  await go(at("text"));
  const before = await page.locator("#text").inputValue();
  await page.locator("#text").fill(`# Absprache mit Frau Roy\nmode = "ful"\n${before}`);
  await save(page).click();
  const told = await page.getByRole("alert").innerText();
  expect(told.includes("ful"), `the value is named: ${told}`);
  expect((await page.locator("#text").inputValue()).includes("Absprache"), "what was typed is still there");
  await everyWay(page, "settings-text-refused-de");
  await page.locator("#text").fill(`# Absprache mit Frau Roy\n${before}`);
  await save(page).click();
  await good(page);
  expect((await page.locator("#text").inputValue()).includes("Absprache mit Frau Roy") && saved().length > 0, "the comment stays");
}

async function mapTogether({ page, go, send, user }) {
  const content = roster(10, (person, at) => { person.csp = at % 2 ? "Executive France" : "Executive UK"; });
  send("kategorien.csv", content);
  await go("/clients/werk/folders");
  await page.getByRole("link", { name: "zuordnen" }).click();
  const form = page.locator("form", { has: page.locator("input[name=field][value=csp]") }).first();
  for (const code of ["Executive France", "Executive UK"]) await form.getByLabel(`Wählen ${code}`).check();
  await form.getByLabel("Alle gewählten werden zu").fill("Executive");
  await everyWay(page, "mappings-chosen-de");
  await form.getByRole("button", { name: "Gemeinsam zuordnen" }).click();
  await good(page);
  expect((await page.getByLabel("Unser Wert für Executive France").inputValue()) === "Executive", "the map shows it");
  await everyWay(page, "mappings-assigned-de");
  await page.getByRole("link", { name: /Letzte Datei noch einmal ausführen/ }).click();
  expect(page.url().includes("/imports/"), "the way to the last file");
  const again = send("kategorien.csv", content);
  expect(["ok", "ok_with_warnings", "partial"].includes(again.status), `${again.status}: ${again.summary}`);
  expect(user("001").csp === "Executive" && user("002").csp === "Executive", `${user("001").csp}, ${user("002").csp}`);
}

async function otherValues({ page, go, send }) {
  await go(at("mappings"));
  const form = page.locator("form", { has: page.locator("select[name=rule]") }).first();
  await form.locator("[name=rule]").selectOption("block");
  await form.getByRole("button", { name: "Speichern" }).click();
  await good(page);
  const report = send("fremd.csv", roster(10, (person, at) => { person.csp = at === 4 ? "Chief" : "Executive UK"; }));
  const message = report.messages.find((one) => one.line === 6 && one.field === "csp");
  expect(message?.received === "Chief", JSON.stringify(report.messages).slice(0, 400));
  await go(at("mappings"));
  await form.locator("[name=rule]").selectOption("keep");
  await form.getByRole("button", { name: "Speichern" }).click();
  await good(page);
}

async function defaults({ page, go, send, user }) {
  await go(at("values"));
  await page.locator("#for-entity").fill("FR01");
  await page.locator("#for-field").selectOption("culture");
  await page.locator("#for-value").fill("fr-FR");
  await page.getByRole("button", { name: "Hinzufügen" }).click();
  await good(page);
  await everyWay(page, "defaults-de");
  const report = send("neue.csv", roster(12, (person, at) => { person.csp = "Executive"; if (at === 11) person.legalEntity = "DE01"; }));
  expect(["ok", "ok_with_warnings", "partial"].includes(report.status), report.summary);
  expect(user("011").culture === "fr-FR", `a new person of FR01: ${user("011").culture}`);
  expect(user("012").culture !== "fr-FR" && user("001").culture !== "fr-FR", "nobody else gets it");
}

async function columns({ page, go, send }) {
  const sample = roster(12, (person) => { person.csp = "Executive"; }).replace("employeeNumber", "Stammnr").replace("jobTitle", "Rolle im Haus");
  await go(at("columns"));
  await page.locator("#file").setInputFiles({ name: "muster.csv", mimeType: "text/csv", buffer: Buffer.from(sample) });
  await page.getByRole("button", { name: "Ansehen", exact: true }).click();
  const row = page.locator("tr", { hasText: "Rolle im Haus" }).first();
  expect((await row.innerText()).includes("nicht gelesen"), await row.innerText());
  await page.getByLabel("Feld der Spalte Rolle im Haus").selectOption("job_title");
  await page.getByLabel("Feld der Spalte Stammnr").selectOption("employee_number");
  await page.getByRole("button", { name: "Speichern und noch einmal ansehen" }).click();
  await good(page);
  expect(!(await row.innerText()).includes("nicht gelesen"), await row.innerText());
  await everyWay(page, "columns-assigned-de");
  const report = send("muster.csv", sample);
  expect(report.counts.rejected === 0, `${report.summary}`);
}

async function lists({ page, go, server }) {
  await go("/clients/werk/lists");
  await page.getByRole("link", { name: "Abteilung" }).first().click();
  await page.getByRole("button", { name: "Alle sind richtig" }).click();
  await good(page);
  await page.getByLabel("Code, wie er gespeichert wird").fill("LAG");
  await page.getByLabel("Name (kann fehlen)").fill("Lager & Versand");
  await page.getByRole("button", { name: "Hinzufügen" }).click();
  expect((await page.locator("tr", { hasText: "LAG" }).innerText()).includes("Lager & Versand"), "the entry is there");
  await page.locator("#file").setInputFiles({ name: "abteilungen.csv", mimeType: "text/csv", buffer: Buffer.from("Sales;Verkauf\nEK;Einkauf\n") });
  await page.getByRole("button", { name: "Laden" }).click();
  expect((await page.locator("tr", { hasText: "EK" }).count()) === 1, "the file is loaded");
  await everyWay(page, "list-loaded-de");
  await page.getByLabel("Wählen Sales").check();
  await page.getByRole("button", { name: "Gewählte entfernen" }).click();
  expect((await page.getByRole("alert").count()) === 1, "an entry that people have is not removed");
  await everyWay(page, "list-refused-de");
  const kept = JSON.parse(server.rollcall("--json", "lists", "show", "werk", "department"));
  expect(JSON.stringify(kept).includes("Sales"), "it is still there");
  await page.getByLabel("Wählen LAG").check();
  await page.getByRole("button", { name: "Gewählte entfernen" }).click();
  expect((await page.locator("tr", { hasText: "LAG" }).count()) === 0, "an entry that nobody has is removed");
  await page.getByRole("link", { name: "Verlauf" }).click();
  expect((await text(page)).includes("LAG") && (await text(page)).includes("clara"), "the history says what and who");
}

async function encryption({ page, go }) {
  await go("/clients/werk/encryption");
  await page.getByRole("button", { name: "Neuen Schlüssel erzeugen" }).click();
  await good(page);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /Öffentliche Hälfte/ }).click()]);
  expect(readFileSync(await download.path(), "utf8").startsWith("-----BEGIN PGP PUBLIC KEY BLOCK-----"), "an armoured public key");
  await everyWay(page, "encryption-key-de");
}
