// The server's own screens, in French: who may sign in, tokens, webhooks, what was done; and what is answered when something is wrong.

import { createServer } from "node:http";

import { check, expect } from "../suite.mjs";
import { everyWay, firmly, open, until } from "./eyes.mjs";
import { crawl } from "./walk.mjs";

const PASSWORD = "encore-un-long-secret";
// What everybody may press: of a sample file nothing is kept.
const OWN = /^\/(sign-out|language|me(\/.*)?|clients\/[^/]+\/folders\/[^/]+\/columns\/sample)$/;

export async function serverSide(browser, server, window) {
  const of = { ...window, browser, server };
  await check("administrators: somebody is added, comes by the link, is given another role, closed out", () => administrators(of));
  await check("a viewer sees everything and no button that would be refused", () => roleSees(of, "viewer", "viktor", OWN));
  await check("an operator finds no link that is refused", () => roleSees(of, "operator", "olga", null));
  await check("a token is shown once, works, and is revoked", () => tokens(of));
  await check("a webhook is added, tested, paused, given another secret, removed", () => webhooks(of));
  await check("the API can be read", () => api(of));
  await check("one's own page: language, other sessions, password", () => me(of));
  await check("an address that does not exist, and one that is not allowed", () => errors(of));
  await check("who was signed out comes back to where they were", () => expired(of));
  await check("the audit trail and the connections say what these journeys did", () => trail(of));
}

const text = (page) => page.locator("main").innerText();

// A browser of somebody who opens a link and chooses a password.
async function comesBy({ browser, server }, link, locale = "fr-FR") {
  const window = await open(browser, server.base, { locale });
  await window.page.goto(link);
  await window.page.locator("#password").fill(PASSWORD);
  await window.page.locator("#again").fill(PASSWORD);
  await window.page.locator("form[action^='/set-up'] button").click();
  await window.page.waitForURL(`${server.base}/`);
  return window;
}

async function administrators(of) {
  const { page, go, server } = of;
  await go("/server");
  await page.getByRole("link", { name: "Administrateurs" }).click();
  await page.getByRole("link", { name: "Ajouter une personne" }).click();
  await page.locator("#name").fill("emil emil");
  await page.locator("input[name=role][value=operator]").check();
  await page.getByRole("button", { name: "Ajouter" }).click();
  expect((await page.getByRole("alert").count()) === 1, "a name with a space is refused");
  expect((await page.locator("#name").inputValue()) === "emil emil", "what was typed is still there");
  expect(await page.locator("input[name=role][value=operator]").isChecked(), "what was chosen, too");
  await page.locator("#name").fill("emil@example.org");
  await page.getByRole("button", { name: "Ajouter" }).click();
  const link = (await page.locator("#link").innerText()).trim();
  await everyWay(page, "administrator-link-fr");
  const emil = await comesBy(of, link);
  expect((await emil.go("/server/administrators")).status() === 403, "an operator does not manage administrators");
  await everyWay(emil.page, "not-allowed-fr");
  await go("/server/administrators/emil@example.org");
  await page.locator("input[name=role][value=viewer]").check();
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await emil.go("/clients");
  expect(new URL(emil.page.url()).pathname === "/sign-in", `another role ends the sessions: ${emil.page.url()}`);
  await page.getByRole("button", { name: "Désactiver" }).click();
  expect((await page.locator(".badge").first().innerText()) === "Désactivé", "closed out");
  await emil.page.getByLabel("Nom").fill("emil@example.org");
  await emil.page.locator("#password").fill(PASSWORD);
  await emil.page.getByRole("button", { name: "Se connecter" }).click();
  expect((await emil.page.getByRole("alert").count()) === 1, "no way in");
  await everyWay(emil.page, "sign-in-refused-fr");
  await emil.close();
  await firmly(page, page.locator("main form[action$='/remove'] button"));
  await page.waitForURL(/\/server\/administrators$/);
  expect(!(await page.locator("main table").innerText()).includes("emil"), "removed");
  expect(!server.rollcall("admin", "list").includes("emil"), "for the command line, too");
}

// `pressable`: what this role may press; null: anything, but no link may be refused.
async function roleSees(of, role, name, pressable) {
  const link = of.server.rollcall("admin", "add", name, "--role", role, "--language", "fr").match(/\/set-up\/\w+/)[0];
  const window = await comesBy(of, of.server.base + link);
  const found = await crawl(window, of.server.base, ["/", "/clients/acme", "/clients/nordwind", "/accounts/acme-payroll"]);
  expect(found.broken.length === 0, `links that are refused: ${found.broken.slice(0, 8).join(", ")}`);
  expect(found.pages.length > 20, `only ${found.pages.length} kinds of pages`);
  const refused = new Set();
  for (const address of pressable ? found.pages : []) {
    await window.go(address);
    // A form that only shows has nothing to press.
    const forms = await window.page.evaluate(() =>
      [...document.querySelectorAll("form[method=post]")]
        .filter((form) => [...form.elements].some((control) => control.matches("button:enabled, [type=submit]:enabled")))
        .map((form) => new URL(form.action).pathname),
    );
    for (const path of forms) if (!pressable.test(path)) refused.add(`${address}: ${path}`);
  }
  expect(refused.size === 0, `would be refused: ${[...refused].slice(0, 12).join("\n")}`);
  window.quiet();
  await window.close();
}

async function tokens({ page, go, server }) {
  await go("/server/tokens");
  await page.locator("#name").fill("Portail RH");
  await page.locator("input[name=scope][value=read]").uncheck();
  await page.getByRole("button", { name: "Créer le jeton" }).click();
  expect((await page.getByRole("alert").count()) === 1, "a token that may do nothing is refused");
  expect((await page.locator("#name").inputValue()) === "Portail RH", "what was typed is still there");
  await page.locator("input[name=scope][value=read]").check();
  await page.locator("#client").selectOption("acme");
  await page.getByRole("button", { name: "Créer le jeton" }).click();
  const token = (await page.locator("p.secret").innerText()).trim();
  await everyWay(page, "token-made-fr");
  const ask = (path) => fetch(server.base + path, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask("/api/v1/clients/acme")).status === 200, "the token reads its client");
  expect((await ask("/api/v1/clients/nordwind")).status === 403, "and no other");
  await go("/server/tokens");
  expect(!(await page.content()).includes(token), "it is not shown again");
  const row = page.locator("tr", { hasText: "Portail RH" });
  expect((await row.innerText()).includes("Actif"), await row.innerText());
  await firmly(page, row.locator("form[action$='/revoke'] button"));
  expect((await row.innerText()).includes("Révoqué"), await row.innerText());
  expect((await ask("/api/v1/clients/acme")).status === 401, "revoked at once");
}

// A program that is told of events: it keeps what it got.
async function receiver() {
  const got = [];
  const program = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => { body += piece; }).on("end", () => { got.push({ headers: request.headers, body }); response.end(); });
  });
  await new Promise((done) => program.listen(0, "127.0.0.1", done));
  return { got, url: `http://127.0.0.1:${program.address().port}/rollcall`, close: () => new Promise((done) => { program.close(done); program.closeAllConnections(); }) };
}

async function webhooks({ page, go, server }) {
  const program = await receiver();
  const menu = async (button) => {
    await go("/server/webhooks");
    await page.locator("tr", { hasText: "portail" }).locator(".menu > summary").click();
    await page.locator(".menu[open]").getByRole("button", { name: button }).click();
  };
  try {
    await go("/server/webhooks");
    await page.locator("#name").fill("portail");
    await page.locator("#url").fill("ftp://example.org/rollcall");
    await page.getByRole("button", { name: "Ajouter" }).click();
    expect((await page.getByRole("alert").innerText()).includes("https"), "an address of another kind is refused");
    expect((await page.locator("#url").inputValue()) === "ftp://example.org/rollcall", "what was typed is still there");
    await page.locator("#url").fill(program.url);
    await page.getByRole("button", { name: "Ajouter" }).click();
    const secret = (await page.locator(".secret").innerText()).trim();
    await everyWay(page, "webhook-secret-fr");
    await menu("Envoyer un message d’essai");
    // What the server has to tell of its own, it may tell meanwhile.
    const tried = program.got.filter((one) => one.body.includes("rollcall/webhook-test/"));
    expect(tried.length === 1 && (await page.locator(".said.good").count()) === 1, `${tried.length} messages`);
    await menu("Suspendre");
    expect((await page.locator("tr", { hasText: "portail" }).innerText()).includes("suspendu"), "it is paused");
    server.rollcall("client", "set", "quiet", "--language", "de");
    await menu("Reprendre");
    await menu("Nouveau secret");
    const second = (await page.locator(".secret").innerText()).trim();
    expect(second.startsWith("whsec_") && second !== secret, "another secret");
    await go("/server/webhooks");
    await page.locator("tr", { hasText: "portail" }).locator(".menu > summary").click();
    await everyWay(page, "webhooks-menu-fr");
    await firmly(page, page.locator("tr", { hasText: "portail" }).locator("form[action$='/remove'] button"));
    await until("it is removed", async () => (await page.locator("tr", { hasText: "portail" }).count()) === 0);
  } finally {
    await program.close();
  }
}

async function api({ page, go, server }) {
  await go("/server/tokens");
  await page.getByRole("link", { name: "Ce que fait l’API" }).click();
  expect((await page.content()).includes("/api/v1/imports"), "the operations are there");
  await everyWay(page, "api-fr");
  const document = await (await fetch(`${server.base}/api/openapi.json`)).json();
  expect(document.openapi.startsWith("3.1") && Object.keys(document.paths).length > 30, "the document");
}

async function me(of) {
  const { server } = of;
  const link = server.rollcall("admin", "add", "ines", "--role", "viewer", "--language", "fr").match(/\/set-up\/\w+/)[0];
  const first = await comesBy(of, server.base + link);
  const second = await open(of.browser, server.base, { locale: "fr-FR" });
  await second.go("/sign-in?next=%2Fme");
  await second.page.locator("#name").fill("ines");
  await second.page.locator("#password").fill(PASSWORD);
  await second.page.getByRole("button", { name: "Se connecter" }).click();
  await second.page.waitForURL(/\/me$/);
  await everyWay(second.page, "me-fr");
  await second.page.getByRole("button", { name: "Terminer toutes les autres" }).click();
  await first.go("/clients");
  expect(first.page.url().includes("/sign-in"), "the other session has ended");
  await second.go("/me");
  await second.page.locator("#old").fill("not the password at all");
  for (const field of ["#password", "#again"]) await second.page.locator(field).fill("un-autre-long-secret");
  await second.page.getByRole("button", { name: "Changer le mot de passe" }).click();
  expect((await second.page.getByRole("alert").count()) === 1, "a wrong password changes nothing");
  await second.page.locator("#old").fill(PASSWORD);
  for (const field of ["#password", "#again"]) await second.page.locator(field).fill("un-autre-long-secret");
  await second.page.getByRole("button", { name: "Changer le mot de passe" }).click();
  expect((await second.page.locator(".said.good").count()) === 1, "the password is changed");
  await second.page.getByLabel("Langue des pages").selectOption("de");
  await second.page.locator("form[action='/me/language'] button").click();
  expect((await second.page.evaluate(() => document.documentElement.lang)) === "de", "German from now on");
  await first.close();
  await second.close();
}

async function errors({ page, go }) {
  for (const [path, name] of [["/nowhere", "nowhere"], ["/clients/nobody", "no-client"], ["/imports/0193501e-0000-7000-8000-00000000ffff", "no-import"], ["/imports/x", "no-id"], ["/accounts/nobody", "no-account"], ["/clients/acme/users/99999", "no-user"], ["/clients/acme/exports/none", "no-export"]]) {
    const answer = await go(path);
    expect(answer.status() === 404, `${path} is answered ${answer.status()}`);
    await everyWay(page, `error-${name}-fr`);
    expect((await page.locator("header.top").count()) === 1, `${path}: the navigation is gone`);
    expect((await page.locator("h1").innerText()) === "Introuvable", `${path}: ${await page.locator("h1").innerText()}`);
  }
}

async function expired(of) {
  const { server } = of;
  const link = server.rollcall("admin", "add", "noe", "--role", "operator", "--language", "fr").match(/\/set-up\/\w+/)[0];
  const window = await comesBy(of, server.base + link);
  const { page, go, context } = window;
  await go("/clients/acme/users");
  await context.clearCookies();
  await page.getByRole("link", { name: "Exports" }).click();
  await page.locator("#name").fill("noe");
  await page.locator("#password").fill(PASSWORD);
  await page.getByRole("button", { name: "Se connecter" }).click();
  expect(new URL(page.url()).pathname === "/clients/acme/exports", `after signing in: ${page.url()}`);
  await go("/clients/quiet/settings");
  await page.locator("#name").fill("Quite another name");
  await context.clearCookies();
  await page.locator("form[action$='/settings'] button").first().click();
  expect(page.url().includes("/sign-in"), `a form without a session: ${page.url()}`);
  expect(!server.rollcall("client", "list").includes("Quite another name"), "nothing is changed");
  await everyWay(page, "session-ended-fr");
  await window.close();
}

async function trail({ page, go }) {
  await go("/server/audit");
  await page.getByLabel("Qui").pressSequentially("benoit");
  await until("only what benoit did", async () => {
    const rows = await page.locator("tbody tr").allInnerTexts();
    return rows.length > 0 && rows.every((row) => row.includes("benoit"));
  });
  const audit = await page.locator("tbody").innerText();
  expect(!audit.includes(PASSWORD) && !audit.includes("whsec_"), "no secret stands there");
  await go("/server/log");
  await page.getByLabel("Identifiant").fill("usine-paie");
  await until("the uploads of the other journey", async () => (await text(page)).includes("/in/matin.csv"));
  await everyWay(page, "connections-filtered-fr");
}
