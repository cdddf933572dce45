// Accounts: the journeys of the help page "Administering an FTP server", click by click, as an operator makes them.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { check, expect, shown } from "../suite.mjs";
import { accessible, everyWay, open } from "./eyes.mjs";

export async function accounts(browser, server, window) {
  await check("add a client", () => addClient(window));
  for (const host of ["standard", "e-paye", "mprh"]) {
    await check(`create an account hosted as ${host}`, () => createAccount(window, server, host));
  }
  await check("a one-time link shows the sheet to a stranger, once", () => oneTimeLink(browser, server, window));
  await check("edit remote folders", () => remoteFolders(window, server));
  await check("edit an account: name, login, password, host", () => editAccount(window, server));
  for (const kind of ["sftp", "ftpes"]) {
    await check(`an account on the client's own server (${kind}), tested and confirmed`, () => ownServer(window, server, kind));
  }
  await check("disable, enable and remove an account", () => closeAccount(window, server));
  await check("what strangers wrote is text", () => hostile(window));
}

const account = (server, login) => JSON.parse(server.rollcall("--json", "account", "show", login));
const submit = (page) => page.locator("main form:has(button) button").last();
const headline = async (page) => (await page.locator("h1").textContent()).trim();

async function addClient({ page, go }) {
  await go("/clients");
  await page.getByRole("link", { name: "Add a client" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("Bernard & Fils");
  await page.getByLabel(/^Short name/).fill("bernard");
  await page.getByRole("button", { name: "Add" }).click();
  await page.waitForURL(/\/clients\/bernard/);
  expect((await page.locator("main").textContent()).includes("Bernard & Fils"), "the client is shown");
}

// "Create an account": the host, then the name, then login and password, shown once.
async function createAccount({ page, go }, server, host) {
  await go("/accounts");
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Client", { exact: true }).selectOption("bernard");
  await page.locator(`input[name=host][value="${host}"]`).check();
  await page.getByRole("button", { name: "Next" }).click();
  await page.locator("#name").fill(`Paie ${host}`);
  await page.getByRole("button", { name: "Create" }).click();
  const login = (await page.locator("#login").textContent()).trim();
  const password = (await page.locator("#password").textContent()).trim();
  expect(login.length > 2 && password.length >= 12, `${login} / ${password}`);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy the password" }).click();
  expect((await page.evaluate(() => navigator.clipboard.readText())) === password, "the button copies the password");
  await everyWay(page, `credentials-${host}`);
  await page.emulateMedia({ media: "print" });
  const [chrome, printed] = [await shown(page, ":is(header.top, .tabs, button)"), await page.locator("section.card:visible").textContent()];
  await page.emulateMedia({ media: "screen" });
  expect(chrome === 0, `${chrome} parts of the page are printed beside the sheet`);
  expect(printed.includes(password), "the password is printed");
  const made = account(server, login);
  expect(made.host_profile === host, `${login} is hosted as ${made.host_profile}`);
  for (const again of [`/accounts/${login}`, `/accounts/${login}/sheet`, `/accounts/${login}/edit`]) {
    await go(again);
    expect(!(await page.content()).includes(password), `${again} shows the password again`);
  }
}

async function oneTimeLink(browser, server, { page, go }) {
  const login = await anAccount(server, "Lien");
  await go(`/accounts/${login}/sheet`);
  await page.getByRole("button", { name: "Link with a new password" }).click();
  const link = (await page.locator(".secret").first().textContent()).trim();
  expect(link.startsWith(`${server.base}/handout/`), link);
  const stranger = await open(browser, server.base, { locale: "fr-FR" });
  await stranger.page.goto(link);
  await stranger.page.goto(link); // Previews of links do not use it up.
  await everyWay(stranger.page, "handout");
  await stranger.page.locator("main form button").click();
  expect((await stranger.page.locator("section.card").textContent()).includes(login), "the sheet is shown");
  await everyWay(stranger.page, "handout-opened");
  const again = await stranger.page.goto(link);
  expect(again.status() >= 400 && !(await stranger.page.content()).includes(login), `it opens twice (${again.status()})`);
  stranger.quiet();
  await stranger.close();
}

// An account that a journey may change.
async function anAccount(server, name) {
  const made = JSON.parse(server.rollcall("--json", "account", "add", "bernard", name, "--login", `bernard-${name.toLowerCase()}`));
  return made.login;
}

async function remoteFolders({ page, go }, server) {
  const login = await anAccount(server, "Dossiers");
  await go("/clients/bernard/accounts");
  const row = page.locator("tr", { hasText: login });
  await row.locator(".menu > summary").click();
  await accessible(page);
  await row.getByRole("link", { name: "Edit remote folders" }).click();
  const names = page.locator("input[name=name]");
  const empty = (await names.count()) - 1;
  await names.nth(empty).fill("absences");
  await page.locator("input[name=path]").nth(empty).fill("/folder1/folder2/folder3");
  await submit(page).click();
  const folders = JSON.parse(server.rollcall("--json", "folder", "list", login));
  expect(folders.some((f) => f.path === "/folder1/folder2/folder3" && f.name === "absences"), JSON.stringify(folders));
}

async function editAccount({ page, go }, server) {
  const login = await anAccount(server, "Edit");
  await go(`/accounts/${login}/edit`);
  await page.locator("#name").fill("Paie mensuelle");
  await page.locator("form[action$='/name'] button").click();
  expect(account(server, login).name === "Paie mensuelle", "the name is changed");
  await go(`/accounts/${login}/edit`);
  await page.locator("form[action$='/password'] button").click();
  expect((await page.locator("#password.secret, .secret#password").count()) === 1, "a new password is shown once");
  await go(`/accounts/${login}/edit`);
  await page.locator("#login").fill("Not A Login!");
  await page.locator("form[action$='/login'] button").click();
  expect((await page.getByRole("alert").count()) === 1, "a bad login is told beside its field");
  expect((await page.locator("#login").inputValue()) === "Not A Login!", "what was typed is still there");
  await page.locator("#login").fill("bernard-neu");
  await page.locator("form[action$='/login'] button").click();
  expect(account(server, "bernard-neu").name === "Paie mensuelle", "the login is changed");
  await go("/accounts/bernard-neu/edit");
  await page.locator("input[name=protocols][value=ftps]").uncheck();
  await page.locator("form[action$='/host'] button").click();
  expect(!account(server, "bernard-neu").protocols.includes("ftps"), "FTPS is taken away");
}

// The client's server is played by this very server.
async function ownServer({ page, go }, server, kind) {
  const other = JSON.parse(server.rollcall("--json", "account", "add", "quiet", `Theirs ${kind}`, "--login", `quiet-${kind}`));
  const [, port] = server.ready[kind].split(":");
  await go("/accounts/new?client=bernard");
  await page.locator("input[name=host]").last().check();
  await page.getByRole("button", { name: "Next" }).click();
  await page.locator("#name").fill(`Serveur du client ${kind}`);
  await page.locator("#server").fill("127.0.0.1");
  await page.locator(`input[name=kind][value=${kind}]`).check();
  await page.locator("[name=port]").fill(port);
  if (kind === "sftp") await everyWay(page, "own-server");
  await submit(page).click();
  await page.locator("#login").fill(other.login);
  await page.locator("#password").fill(other.password);
  if (kind === "sftp") await everyWay(page, "own-server-secret");
  await submit(page).click();
  await page.getByRole("button", { name: /test the connection/i }).first().click();
  const key = other.host_keys.find((one) => one.kind.includes("ed25519")) ?? other.host_keys[0];
  const shows = kind === "sftp" ? key.fingerprint : other.certificate.sha256;
  await page.getByRole("heading", { name: "The server shows" }).waitFor(); // Step after step appears.
  const plain = (text) => text.replaceAll(":", "").toLowerCase();
  expect(plain(await page.locator("main").textContent()).includes(plain(shows)), `the host key or certificate is shown to be confirmed, not: ${(await page.locator("main").innerText()).replace(/\s+/g, " ").slice(-500)}`);
  await everyWay(page, `own-server-${kind}-identity`);
  await page.getByRole("button", { name: /confirm|trust/i }).first().click();
  await page.getByRole("button", { name: /test the connection/i }).first().click();
  await page.getByText("The test is over.").waitFor();
  expect((await page.locator("main .badge.bad, main .said.bad").count()) === 0, "the test passes once the key is confirmed");
  if (kind === "sftp") await fetchedFiles({ page, go }, server, other.login, page.url().split("/").at(-3));
}

// What lies in an import folder on that server is fetched when somebody presses the button, and its import is one click away.
async function fetchedFiles({ page, go }, server, theirs, login) {
  server.rollcall("folder", "add", theirs, "paie-theirs", "/paie", "--purpose", "plain");
  server.rollcall("folder", "add", login, "paie", "/paie", "--purpose", "import");
  server.rollcall("settings", "set", "bernard", "paie", "fetch.settle_s=1");
  writeFileSync(join(server.place, "data/clients/quiet/files", theirs, "paie/salariés.csv"), "login;nom;prénom;email;debut contrat\nmia;Petit;Mia;mia@example.org;2024-01-08\n");
  await go(`/accounts/${login}`);
  await page.getByRole("link", { name: "Fetched files" }).click();
  await everyWay(page, "fetched-none");
  await page.getByRole("button", { name: "Look now" }).click();
  await page.getByText("Fetched:").waitFor();
  await everyWay(page, "fetched");
  expect((await page.locator("tbody tr", { hasText: "salariés.csv" }).locator(".badge.good").textContent()) === "fetched", "the list says so");
  await page.getByRole("status").getByRole("link", { name: "/paie/salariés.csv" }).click();
  await page.waitForURL(/\/imports\//);
}

async function closeAccount({ page, go }, server) {
  const login = await anAccount(server, "Ende");
  for (const [button, open] of [["Disable", false], ["Enable", true]]) {
    await go("/clients/bernard/accounts");
    const row = page.locator("tr", { hasText: login });
    await row.locator(".menu > summary").click();
    await row.getByRole("button", { name: button }).click();
    expect(account(server, login).enabled === open, `${button}: enabled is ${account(server, login).enabled}`);
  }
  await go(`/accounts/${login}/remove`);
  await page.locator("main form button.danger").click();
  const left = JSON.parse(server.rollcall("--json", "account", "list", "bernard"));
  expect(!left.some((one) => one.login === login), "it is removed");
}

async function hostile({ page, go }) {
  for (const path of ["/clients", "/clients/hostile", "/clients/hostile/users", "/clients/hostile/imports", "/accounts", "/"]) {
    await go(path);
    expect((await page.evaluate(() => window.hacked)) === undefined, `${path}: a name ran as a script`);
    expect((await page.locator("main script, main img[src=x]").count()) === 0, `${path}: a name became an element`);
  }
}
