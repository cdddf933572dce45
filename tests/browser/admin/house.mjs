// A server of one's own with clients, imports and people in it, on free ports of 127.0.0.1; gone when the test ends.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { binary, PATIENCE_MS, rollcallIn } from "../suite.mjs";

const samples = resolve(import.meta.dirname, "../../../data/samples");

// What strangers may write into names, files and cells.
export const HOSTILE = `"><script>window.hacked=1</script>'&<img src=x onerror=window.hacked=2>`;
const HOSTILE_FILE = `employeeNumber;lastName;firstName;mail;dtContractStart;jobTitle;department
H1;<script>window.hacked=3</script>;Ann;ann@example.org;2024-01-08;<img src=x onerror=window.hacked=4>;"""><b>R&D"
H2;${"Wide".repeat(50)};Ben;ben(at)example.org;2024-13-08;javascript:alert(5);${"Long".repeat(40)}
H3;Été;Zoë;zoe@example.org;2024-01-08;Clerk;Sales
`;

// One client with all that a page can show, one French one, one with hostile names, one without anything.
function furnish(rollcall, place) {
  const story = (folder, file) => join(samples, folder, file);
  rollcall("client", "add", "acme", "--name", "Acme SA", "--language", "en", "--time-zone", "Europe/Paris");
  rollcall("account", "add", "acme", "Payroll", "--login", "acme-payroll");
  rollcall("import", "acme", join(samples, "demo-day1.csv"));
  rollcall("import", "acme", join(samples, "demo-day2.csv"));
  rollcall("import", "acme", join(samples, "every-error.csv"));
  rollcall("client", "add", "lumiere", "--name", "Lumière SARL", "--language", "fr");
  rollcall("account", "add", "lumiere", "Paie", "--login", "lumiere-paie", "--host-profile", "e-paye");
  rollcall("import", "lumiere", join(samples, "model-fr.csv"));
  rollcall("client", "add", "nordwind", "--name", "Nordwind GmbH", "--language", "de");
  rollcall("account", "add", "nordwind", "Lohn", "--login", "nordwind-lohn");
  rollcall("settings", "set", "nordwind", "import", "guards={endings={count=1,percent=10}}");
  rollcall("import", "nordwind", story("held", "1-before.csv"));
  rollcall("import", "nordwind", story("held", "2-endings.csv"));
  rollcall("client", "add", "hostile", "--name", HOSTILE);
  rollcall("account", "add", "hostile", `Pay <b>"roll"</b>`, "--login", "hostile");
  const file = join(place, `<img src=x onerror=window.hacked=6>.csv`);
  writeFileSync(file, HOSTILE_FILE);
  rollcall("import", "hostile", file);
  rollcall("client", "add", "quiet", "--name", "Quiet & Sons");
  rollcall("client", "add", "late", "--name", "Late Ltd", "--time-zone", "Europe/Paris");
  rollcall("account", "add", "late", "Payroll", "--login", "late-payroll");
}

// Starts the server; answers its addresses, its set-up link, the command line on its data, and how to end it.
export async function house() {
  const place = mkdtempSync(join(tmpdir(), "rollcall-admin-"));
  const rollcall = rollcallIn(place);
  furnish(rollcall, place);
  const free = "127.0.0.1:0";
  const env = {
    ...process.env,
    ROLLCALL_SFTP__LISTEN: free,
    ROLLCALL_FTPS__EXPLICIT: free,
    ROLLCALL_FTPS__IMPLICIT: free,
    ROLLCALL_FTPS__PASSIVE_PORTS: "0",
    ROLLCALL_ADMIN__LISTEN: free,
    ROLLCALL_LIMITS__MIN_FREE_BYTES: "0",
    // An upload is kept open while its page is looked at, which takes a slow machine long.
    ROLLCALL_LIMITS__DATA_IDLE_TIMEOUT_S: "3600",
    ROLLCALL_LIMITS__IDLE_TIMEOUT_S: "3600",
    // A client's own server stands on this machine, too.
    ROLLCALL_OUTGOING__ALLOW: '["127.0.0.0/8"]',
    TZ: "Europe/Paris",
  };
  const places = ["--data", join(place, "data"), "--certs", join(place, "certs")];
  const server = spawn(binary, ["--json", ...places, "serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  server.stderr.on("data", (piece) => { log += piece; });
  const ready = await new Promise((done, fail) => {
    let line = "";
    server.stdout.on("data", (piece) => {
      line += piece;
      if (line.includes("\n")) done(JSON.parse(line.split("\n")[0]));
    });
    server.on("exit", (code) => fail(new Error(`serve ended with ${code}: ${log}`)));
    setTimeout(() => fail(new Error(`serve was not ready in time: ${log}`)), PATIENCE_MS).unref();
  }).catch((error) => {
    server.removeAllListeners("exit");
    server.kill("SIGKILL");
    rmSync(place, { recursive: true, force: true });
    throw error;
  });
  return {
    ready,
    rollcall,
    place,
    base: `http://${ready.admin}`,
    log: () => log,
    async end() {
      server.removeAllListeners("exit");
      const ended = new Promise((done) => server.once("exit", done));
      server.kill("SIGTERM");
      await ended;
      rmSync(place, { recursive: true, force: true });
    },
  };
}
