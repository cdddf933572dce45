// ssh2-sftp-client and basic-ftp, as a script of their users would call them: one plan as JSON on standard input, the outcome as JSON on
// standard output. NODE_MODULES names the folder that holds the packages.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";

const load = createRequire(process.env.NODE_MODULES + "/");
const plan = JSON.parse(readFileSync(0, "utf8"));
const outcome = { ok: true, text: "", names: [] };

async function bySftp() {
  const Client = load("ssh2-sftp-client");
  const sftp = new Client();
  const shown = (key) => "SHA256:" + createHash("sha256").update(key).digest("base64").replace(/=+$/, "");
  await sftp.connect({
    host: plan.host,
    port: plan.port,
    username: plan.login,
    readyTimeout: 120000,
    hostVerifier: (key) => plan.fingerprints.includes(shown(key)),
    ...(plan.key ? { privateKey: readFileSync(plan.key) } : { password: plan.password }),
  });
  const steps = {
    put: (from, to) => sftp.put(from, to),
    get: (from, to) => sftp.get(from, to),
    resume: async (from, to) => sftp.append(readFileSync(from).subarray((await sftp.stat(to)).size), to),
    rename: (from, to) => sftp.posixRename(from, to),
    remove: (path) => sftp.delete(path),
    mkdir: (path) => sftp.mkdir(path),
    rmdir: (path) => sftp.rmdir(path),
    list: async (path) => (outcome.names = (await sftp.list(path)).map((entry) => entry.name)),
    "put-tree": (from, to) => sftp.uploadDir(from, to),
    "get-tree": (from, to) => sftp.downloadDir(from, to),
  };
  try {
    for (const [what, ...words] of plan.steps) await steps[what](...words);
  } finally {
    await sftp.end();
  }
}

async function byFtp() {
  const { Client } = load("basic-ftp");
  const ftp = new Client(180000);
  ftp.ftp.log = (line) => (outcome.text += line + "\n");
  ftp.ftp.verbose = true;
  const tls = { ca: readFileSync(plan.certificate), host: plan.host };
  if (plan.key) Object.assign(tls, { cert: readFileSync(plan.key), key: readFileSync(plan.key) });
  const steps = {
    put: (from, to) => ftp.uploadFrom(from, to),
    // Its order is (to, from).
    get: (from, to) => ftp.downloadTo(to, from),
    resume: async (from, to) => ftp.appendFrom(from, to, { localStart: await ftp.size(to) }),
    "resume-get": (from, to) => ftp.downloadTo(to, from, existsSync(to) ? statSync(to).size : 0),
    rename: (from, to) => ftp.rename(from, to),
    remove: (path) => ftp.remove(path),
    mkdir: (path) => ftp.send("MKD " + path),
    rmdir: (path) => ftp.removeEmptyDir(path),
    list: async (path) => (outcome.names = (await ftp.list(path)).map((entry) => entry.name)),
    "put-tree": (from, to) => ftp.uploadFromDir(from, to),
    "get-tree": (from, to) => ftp.downloadToDir(to, from),
  };
  try {
    const secure = plan.protocol === "ftps" ? "implicit" : true;
    await ftp.access({ host: plan.host, port: plan.port, user: plan.login, password: plan.password, secure, secureOptions: tls });
    for (const [what, ...words] of plan.steps) await steps[what](...words);
  } finally {
    ftp.close();
  }
}

try {
  await (plan.protocol === "sftp" ? bySftp() : byFtp());
} catch (error) {
  outcome.ok = false;
  outcome.text += `${error.name}: ${error.message}\n`;
}
console.log(JSON.stringify(outcome));
process.exit(0);
