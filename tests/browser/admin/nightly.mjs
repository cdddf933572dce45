// The journey of the help page "How to sync an external directory", in its order and in English: a sample is tried, mapped, the
// import put on a time, somebody named for the reports, the account handed out; then the payroll program sends its file.

import { check, expect } from "../suite.mjs";
import { everyWay } from "./eyes.mjs";
import { NIGHT, roster, slowUpload } from "./files.mjs";

const FILE = roster(8, (person, at) => { person.csp = at % 2 ? "Executive France" : "Executive UK"; });

export async function nightly(server, window) {
  const of = { ...window, server };
  let account;
  await check("nightly: a client and its account", async () => { account = await begin(of); });
  await check("nightly: the sample is tried by hand first", () => trySample(of));
  await check("nightly: two titles become one", () => mapTitles(of));
  await check("nightly: imported by the clock, reports by e-mail", () => schedule(of));
  await check("nightly: the program sends its file, which waits for its time", () => send(of, account));
}

const text = (page) => page.locator("main").innerText();
const save = (page) => page.getByRole("button", { name: "Save", exact: true });
const good = async (page) => expect((await page.locator(".said.good").count()) === 1, `nothing says that it was saved: ${(await text(page)).slice(0, 300)}`);

async function begin({ page, go }) {
  await go("/clients/new");
  await page.getByLabel("Name", { exact: true }).fill("Moulin & Cie");
  await page.getByLabel(/^Short name/).fill("moulin");
  await page.getByLabel(/^Time zone/).fill("Europe/Paris");
  await page.getByRole("button", { name: "Add" }).click();
  await page.waitForURL(/\/clients\/moulin/);
  await page.goto(`${new URL(page.url()).origin}/clients/moulin`);
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByRole("button", { name: "Next" }).click();
  await page.locator("#name").fill("Payroll");
  await page.getByRole("button", { name: "Create" }).click();
  return { login: (await page.locator("#login").innerText()).trim(), password: (await page.locator("#password").innerText()).trim() };
}

async function trySample({ page, go }) {
  await go("/clients/moulin/try");
  await page.locator("#file").setInputFiles({ name: "sample.csv", mimeType: "text/csv", buffer: Buffer.from(FILE) });
  await page.getByRole("button", { name: "Try it" }).click();
  await page.getByText("Nothing has been changed.").waitFor();
  expect((await text(page)).includes("Executive France"), "what would come in");
  await page.getByRole("button", { name: "Do not import" }).click();
}

async function mapTitles({ page, go }) {
  await go("/clients/moulin/folders/import/mappings");
  await page.locator("#new-field").selectOption("csp");
  await page.locator("#new-theirs").fill("Executive France");
  await page.locator("#new-ours").fill("Executive");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await good(page);
  await page.getByLabel("Another value of the file").fill("Executive UK");
  await page.getByLabel("Ours for it").fill("Executive");
  await save(page).click();
  await good(page);
  for (const theirs of ["Executive France", "Executive UK"]) {
    expect((await page.getByLabel(`Ours for ${theirs}`, { exact: true }).inputValue()) === "Executive", theirs);
  }
}

async function schedule({ page, go, server }) {
  await go("/clients/moulin/folders/import/schedule");
  await page.locator("[name=trigger]").selectOption("daily");
  await page.locator("[name='trigger.at']").fill(NIGHT);
  await save(page).click();
  await good(page);
  await everyWay(page, "schedule-nightly-en");
  await go("/clients/moulin/folders/import/reports");
  await page.locator("[name='mail.to.to']").first().fill("Anne Roy <anne.roy@example.org>");
  await save(page).click();
  await good(page);
  const saved = server.rollcall("settings", "show", "moulin", "import");
  expect(new RegExp(`^trigger = "daily ${NIGHT}"`, "m").test(saved) && saved.includes("anne.roy@example.org"), saved);
}

async function send({ page, go, server }, { login, password }) {
  const upload = await slowUpload(server.ready.ftps, login, password, "/in/users.csv");
  try {
    await upload.more(FILE);
    const last = await upload.end();
    expect(last.startsWith("226") && last.includes(NIGHT), `the answer to the upload: ${last}`);
  } finally {
    upload.breakOff();
  }
  await go("/clients/moulin");
  const overview = await text(page);
  expect(overview.includes(NIGHT) && /files waiting:\s*1/.test(overview), `what happens next by the clock: ${overview.slice(0, 900)}`);
  await go("/clients/moulin/imports");
  await page.getByRole("link", { name: "users.csv" }).click();
  expect((await text(page)).includes(NIGHT), "its import says when");
  await everyWay(page, "import-waiting-en");
  expect(JSON.parse(server.rollcall("--json", "users", "list", "moulin")).length === 0, "nobody is imported before");
}
