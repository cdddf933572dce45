// Imports as a clerk and an operator meet them, in French: what comes in, what is held, what is taken back, what is tried first.

import { check, expect } from "../suite.mjs";
import { everyWay, until } from "./eyes.mjs";
import { fileIn, roster, slowUpload } from "./files.mjs";

const ending = (numbers) => (person, at) => { if (numbers.includes(at)) person.dtContractEnd = "2020-12-31"; };

export async function imports(server, window) {
  const { rollcall, place } = server;
  rollcall("client", "add", "usine", "--name", "Usine du Nord", "--language", "fr");
  const made = JSON.parse(rollcall("--json", "account", "add", "usine", "Paie", "--login", "usine-paie"));
  const send = (name, content) => {
    const answer = rollcall("--json", "import", "usine", fileIn(place, name, content));
    return JSON.parse(answer).import;
  };
  const state = (number) => JSON.parse(rollcall("--json", "users", "list", "usine")).find((one) => one.employee_number === number)?.state;
  const status = (id) => JSON.parse(rollcall("--json", "imports", "show", id)).status;
  const of = { ...window, server, send, state, status };
  await check("today shows an upload while it comes, and its import, without being loaded again", () => live(of, made.password));
  rollcall("settings", "set", "usine", "import", "guards.endings.count=1", "guards.creations.count=1");
  await check("an upload that broke off is told", () => brokeOff(of, made.password));
  const ends = send("sorties.csv", roster(8, ending([2, 3])));
  await check("a held import: found on the start page, read, approved", () => approve(of, ends));
  await check("an import is undone after a look at what comes back", () => undo(of, ends));
  await check("an import is run again", () => again(of, ends));
  await check("a held import is discarded: nothing of it is applied", () => discard(of));
  await check("who approves what somebody else has decided is told, and nothing happens", () => twoDeciders(of));
  await check("imports are filtered while one types", () => filters(of));
  await check("a file is dropped, tried and imported, once", () => tryAndImport(of));
  await check("a file is chosen, its errors are read by cell, and it is forgotten", () => tryAndForget(of));
  await check("a file that is no table says why, and is not kept", () => tryNonsense(of));
}

const text = (page) => page.locator("main").innerText();

// The page is opened once; everything after that comes by itself.
async function live({ page, go, server }, password) {
  await go("/");
  const upload = await slowUpload(server.ready.ftps, "usine-paie", password, "/in/matin.csv");
  try {
    const content = roster(8);
    await upload.more(content.slice(0, 200));
    await page.getByRole("heading", { name: "En cours d’arrivée" }).waitFor();
    expect((await text(page)).includes("/in/matin.csv"), "the file that is coming is named");
    await everyWay(page, "today-arriving-fr");
    await upload.more(content.slice(200));
    const last = await upload.end();
    expect(last.startsWith("226") && last.includes("8"), `the answer to the upload: ${last}`);
    await page.getByRole("link", { name: "matin.csv" }).waitFor();
    await until("the upload is not under way any more", async () => !(await text(page)).includes("/in/matin.csv"));
  } finally {
    upload.breakOff();
  }
}

async function brokeOff({ page, go, server }, password) {
  await go("/");
  const upload = await slowUpload(server.ready.ftps, "usine-paie", password, "/in/coupe.csv");
  await upload.more(roster(8).slice(0, 200));
  upload.breakOff();
  await page.getByText("Dépôts interrompus ces dernières 24 heures").waitFor();
  expect((await text(page)).includes("coupe.csv"), "the file is named");
}

async function approve({ page, go, status, state }, id) {
  expect(status(id) === "held", `two ends of eight contracts: ${status(id)}`);
  await go("/");
  const card = page.locator("article", { hasText: "sorties.csv" });
  expect((await card.textContent()).includes("En attente"), "the start page says that it waits");
  await card.getByRole("link", { name: "sorties.csv" }).click();
  const why = page.locator("section", { has: page.getByRole("heading", { name: "Pourquoi il est en attente" }) });
  expect((await why.textContent()).includes("G601"), "the guard that holds it is named");
  expect((await text(page)).includes("COLE Cleo") && (await text(page)).includes("DEAN Dan"), "the two people are named");
  await everyWay(page, "import-held-fr");
  await page.getByRole("link", { name: "Approuver…" }).click();
  expect((await page.locator("h1").textContent()).includes("Approuver cet import"), "it is asked once more");
  expect(status(id) === "held", "a look decides nothing");
  await everyWay(page, "import-approve-fr");
  await page.getByRole("button", { name: "Approuver et appliquer" }).click();
  await page.waitForURL(`**/imports/${id}`);
  await page.getByText("Annuler l’import…").waitFor();
  expect((await page.locator("main > .said").first().textContent()).length > 10, "the page says what was done");
  expect(["ok", "ok_with_warnings"].includes(status(id)), `approved: ${status(id)}`);
  for (const number of ["003", "004"]) expect(state(number) === "ended", `${number} is ${state(number)}`);
  expect(state("005") === "active", "nobody else has left");
  expect((await text(page)).includes("benoit"), "the page says who approved it");
}

async function undo({ page, go, status, state }, id) {
  await go(`/imports/${id}`);
  await page.getByRole("link", { name: "Annuler l’import…" }).click();
  const before = await text(page);
  expect(before.includes("COLE Cleo") && before.includes("Fin du contrat"), `who and which field come back: ${before.slice(0, 900)}`);
  expect(state("003") === "ended", "a look takes nothing back");
  await everyWay(page, "import-undo-fr");
  await page.getByRole("button", { name: "Annuler cet import" }).click();
  await page.waitForURL(`**/imports/${id}`);
  for (const number of ["003", "004"]) expect(state(number) === "active", `${number} is ${state(number)}`);
  expect((await page.locator("h1 .badge").textContent()).includes("Annulé"), await page.locator("h1").textContent());
  expect(status(id) === "undone", status(id));
}

// The guards are no weaker the second time.
async function again({ page, go, state }, id) {
  await go(`/imports/${id}`);
  await page.getByRole("link", { name: "Relancer…" }).click();
  await everyWay(page, "import-again-fr");
  await page.getByRole("button", { name: "Importer à nouveau" }).click();
  await page.waitForURL((url) => /\/imports\/[0-9a-f-]{36}$/.test(url.pathname) && !url.pathname.endsWith(id));
  await until("the new import has ended and the page shows it", async () => {
    const show = page.getByRole("link", { name: "Afficher son rapport" });
    if (await show.count()) await show.click();
    return (await page.getByRole("heading", { name: "Pourquoi il est en attente" }).count()) === 1;
  });
  expect(state("003") === "active", "it is held again: nobody leaves unseen");
  await page.getByRole("link", { name: "Abandonner…" }).click();
  await page.getByRole("button", { name: "Abandonner", exact: true }).click();
  await page.waitForURL(/\/imports\/[0-9a-f-]{36}$/);
}

async function discard({ page, go, send, status, state }) {
  const id = send("arrivees.csv", roster(12));
  await go("/");
  await page.locator("article", { hasText: "arrivees.csv" }).getByRole("link").first().click();
  await page.getByRole("link", { name: "Abandonner…" }).click();
  await everyWay(page, "import-discard-fr");
  await page.getByRole("link", { name: "Revenir sans décider" }).click();
  expect(status(id) === "held", "going back decides nothing");
  await page.getByRole("link", { name: "Abandonner…" }).click();
  await page.getByRole("button", { name: "Abandonner", exact: true }).click();
  await page.waitForURL(`**/imports/${id}`);
  expect((await page.locator("h1 .badge").textContent()).includes("Abandonné"), await page.locator("h1").textContent());
  expect(status(id) === "discarded" && state("009") === undefined, `${status(id)}, 009 is ${state("009")}`);
  await go("/");
  expect((await page.locator("article", { hasText: "arrivees.csv" }).count()) === 0, "nobody is asked about it any more");
}

async function twoDeciders({ page, context, go, send, status, state, server }) {
  const id = send("deux.csv", roster(8, ending([4, 5])));
  await go(`/imports/${id}/approve`);
  const other = await context.newPage();
  await other.goto(`${server.base}/imports/${id}/discard`);
  await other.getByRole("button", { name: "Abandonner", exact: true }).click();
  await other.waitForURL(`**/imports/${id}`);
  await other.close();
  await page.getByRole("button", { name: "Approuver et appliquer" }).click();
  await page.getByRole("heading", { name: "L’opération n’a pas été effectuée" }).waitFor();
  await everyWay(page, "import-decided-fr");
  await page.getByRole("link", { name: "Afficher l’import dans son état actuel" }).click();
  expect(status(id) === "discarded" && state("005") === "active", `${status(id)}, 005 is ${state("005")}`);
}

async function filters({ page, go }) {
  await go("/clients/usine/imports");
  const all = await page.locator("tbody tr").count();
  await page.getByLabel("Nom du fichier ou numéro d’import").pressSequentially("sorties");
  await until("only files of this name are left", async () => {
    const rows = await page.locator("main table").first().locator("tbody tr").allInnerTexts();
    return rows.length > 0 && rows.length < all && rows.every((row) => row.includes("sorties.csv"));
  });
  expect(page.url().includes("text=sorties"), `the address can be sent to somebody: ${page.url()}`);
  await page.getByLabel("Statut").selectOption("held");
  await page.locator("p.empty", { hasText: "Aucun import ne correspond" }).waitFor();
}

// As a person drops a file: the browser hands it to the page in an event.
async function drop(page, name, content) {
  const files = await page.evaluateHandle(([name, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([content], name, { type: "text/csv" }));
    return transfer;
  }, [name, content]);
  for (const kind of ["dragenter", "dragover", "drop"]) await page.dispatchEvent("[data-drop]", kind, { dataTransfer: files });
}

async function tryAndImport({ page, go, state, server }) {
  await go("/clients/usine");
  await page.getByRole("link", { name: "Import d’essai" }).click();
  await drop(page, "essai.csv", roster(9));
  expect((await page.locator("#file").evaluate((field) => field.files[0]?.name)) === "essai.csv", "the field holds the file");
  await page.getByRole("button", { name: "Essayer" }).click();
  await page.getByText("Rien n’a été modifié.").waitFor();
  const tried = await text(page);
  for (const words of ["Comment il a été lu", "IVER Ida"]) {
    expect(tried.includes(words), `the page has no "${words}"`);
  }
  expect(state("009") === undefined, "nothing is imported by trying");
  await everyWay(page, "tried-fr");
  const form = await page.locator("form[action$='/import']").evaluate((form) => [form.action, new FormData(form).get("csrf")]);
  await page.getByRole("button", { name: "L’importer" }).click();
  await page.waitForURL(/\/imports\/[0-9a-f-]{36}$/);
  const id = page.url().split("/").at(-1);
  await until("the person is in the directory", () => state("009") === "active");
  // Whoever presses the button a second time finds the same import.
  const twice = await page.context().request.post(form[0], { form: { csrf: form[1] }, headers: { origin: server.base }, maxRedirects: 0 });
  expect(twice.status() < 500, `pressed twice: ${twice.status()}`);
  const imports = JSON.parse(server.rollcall("--json", "imports", "list", "usine")).filter((one) => one.file.name === "essai.csv" && !one.dry_run);
  expect(imports.length === 1 && imports[0].id === id, `it was imported ${imports.length} times`);
}

async function tryAndForget({ page, go, state }) {
  const broken = roster(9, (person, at) => {
    if (at === 1) person.dtContractStart = "31/02/2024";
    if (at === 2) person.mail = "cleo.cole(at)example.org";
    if (at === 3) person.lastName = "";
  });
  await go("/clients/usine/try");
  await page.getByLabel("Fichier").setInputFiles({ name: "fautes.csv", mimeType: "text/csv", buffer: Buffer.from(broken) });
  await page.getByRole("button", { name: "Essayer" }).click();
  await page.getByText("Rien n’a été modifié.").waitFor();
  const messages = await page.locator("section", { has: page.getByRole("heading", { name: "Erreurs et avertissements" }) }).innerText();
  for (const cell of ["E3", "D4"]) expect(messages.includes(cell), `the cell ${cell} is named: ${messages.slice(0, 600)}`);
  expect(messages.includes("31/02/2024") && messages.includes("→"), "the value and the cure are there");
  await everyWay(page, "tried-errors-fr");
  const address = page.url();
  await page.getByRole("button", { name: "Ne pas importer" }).click();
  await page.waitForURL(/\/try$/);
  const answer = await page.goto(address);
  expect(answer.status() === 404, `a forgotten file is still there (${answer.status()})`);
  expect(state("002") === "active", "nobody has changed");
}

async function tryNonsense({ page, go }) {
  await go("/clients/usine/try");
  await page.getByLabel("Fichier").setInputFiles({ name: "photo.csv", mimeType: "text/csv", buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13]) });
  await page.getByRole("button", { name: "Essayer" }).click();
  const said = await text(page);
  expect(/refusé|illisible|ne peut/i.test(said), `it says what is wrong: ${said.slice(0, 400)}`);
  await everyWay(page, "tried-nonsense-fr");
}
