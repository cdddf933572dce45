// Files as payroll programs send them, of invented people, and a connection that sends one slowly.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";

const COLUMNS = ["employeeNumber", "lastName", "firstName", "mail", "dtContractStart", "dtContractEnd", "department", "csp", "legalEntity", "jobTitle", "manager"];
const NAMES = ["Abel Ada", "Bell Ben", "Cole Cleo", "Dean Dan", "Ewing Eve", "Ford Finn", "Gray Gus", "Hall Hal", "Iver Ida", "Jones Jo", "King Kai", "Lang Lea"];

// A roster of `count` people; `change(person, at)` may alter each of them before it is written.
export function roster(count, change = () => {}) {
  const people = NAMES.slice(0, count).map((name, at) => {
    const [last, first] = name.split(" ");
    const person = {
      employeeNumber: String(at + 1).padStart(3, "0"),
      lastName: last,
      firstName: first,
      mail: `${first}.${last}@example.org`.toLowerCase(),
      dtContractStart: "2020-01-06",
      dtContractEnd: "",
      department: "Sales",
      csp: "Executive",
      legalEntity: "FR01",
      jobTitle: "Clerk",
      manager: at === 0 ? "" : "001",
    };
    change(person, at);
    return person;
  });
  return [COLUMNS, ...people.map((person) => COLUMNS.map((column) => person[column] ?? ""))].map((cells) => `${cells.join(";")}\n`).join("");
}

// A time of day that does not come while the tests run.
const hour = Number(new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Paris", hour: "2-digit", hourCycle: "h23" }).format(new Date()));
export const NIGHT = hour >= 21 ? "11:30" : "23:30";

// Writes a file into the folder of a test; answers its path.
export function fileIn(place, name, content) {
  const path = join(place, name);
  writeFileSync(path, content);
  return path;
}

// The address that a server's reply to EPSV names.
const passivePort = (reply) => Number(reply.match(/\|\|\|(\d+)\|/)[1]);

// One upload over implicit FTPS, kept open: `more` sends bytes, `end` closes it in good order and answers the server's last words.
export async function slowUpload(address, login, password, name) {
  const [host, port] = address.split(":");
  const control = connect({ host, port, rejectUnauthorized: false });
  const replies = lines(control);
  const say = (words) => { control.write(`${words}\r\n`); return replies(); };
  await replies();
  for (const words of [`USER ${login}`, `PASS ${password}`, "PBSZ 0", "PROT P", "TYPE I"]) await say(words);
  const data = connect({ host, port: passivePort(await say("EPSV")), rejectUnauthorized: false });
  const open = new Promise((done, fail) => data.once("secureConnect", done).once("error", fail));
  const begun = await say(`STOR ${name}`);
  if (!begun.startsWith("150") && !begun.startsWith("125")) throw new Error(`STOR ${name}: ${begun}`);
  await open;
  return {
    more: (bytes) => new Promise((done) => data.write(bytes, done)),
    async end() {
      data.end();
      const last = await replies();
      control.end("QUIT\r\n");
      return last;
    },
    breakOff() {
      data.destroy();
      control.destroy();
    },
  };
}

// Answers a function that waits for the next whole reply of an FTP server. Source: RFC 959, 4.2.
function lines(socket) {
  let text = "";
  const whole = [];
  const waiting = [];
  socket.on("data", (piece) => {
    text += piece;
    for (let found; (found = text.match(/^(?:(\d{3})-[\s\S]*?\r\n\1 |\d{3} )[^\r\n]*\r\n/)); text = text.slice(found[0].length)) {
      const next = waiting.shift();
      if (next) next.done(found[0]);
      else whole.push(found[0]);
    }
  });
  const over = (error) => { for (const one of waiting.splice(0)) one.fail(error ?? new Error("the server closed the connection")); };
  socket.on("error", over).on("close", () => over());
  return () => new Promise((done, fail) => (whole.length ? done(whole.shift()) : waiting.push({ done, fail })));
}
