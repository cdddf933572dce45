// Everything that is tested in a real browser: the HTML reports, then the administration page.
//
// node tests/browser/run.mjs BINARY [--pictures FOLDER] [--only reports|admin] [--journeys imports,people,…]
//
// NODE_MODULES names the folder with playwright-core and axe-core; CHROMIUM the browser (else /usr/bin/chromium). Nothing is
// fetched. Ends with a line "N passed, N failed".

import { counts, launch } from "./suite.mjs";

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : null;
let browser;
try {
  browser = await launch();
  if (only !== "admin") await (await import("./reports.mjs")).reports(browser);
  if (only !== "reports") await (await import("./admin.mjs")).admin(browser);
} catch (error) {
  counts.failed += 1;
  console.log(`FAILED the browser tests\n    ${error.stack}`);
} finally {
  await browser?.close();
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed ? 1 : 0;
