// A page that is watched: what a browser complains of, and where it goes.
import { chromium } from "playwright-core";
import { executable } from "./site.mjs";

export function fail(text) {
  console.error(`FAIL ${text}`);
  process.exitCode = 1;
}

export function check(truth, text) {
  if (!truth) {
    fail(text);
  }
}

export async function launch() {
  return chromium.launch({ executablePath: executable(), args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

// watch reports what no page may do: say something on the console, break the
// content security policy, or ask anybody but its own server.
export async function watch(context, base) {
  const origin = new URL(base).origin;
  const page = await context.newPage();
  page.on("console", (m) => check(m.type() !== "error" && m.type() !== "warning", `${page.url()}: console: ${m.text()}`));
  page.on("pageerror", (e) => fail(`${page.url()}: ${e}`));
  page.on("request", (r) => check(new URL(r.url()).origin === origin, `${page.url()}: asks ${r.url()}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => console.error(`policy violated: ${e.violatedDirective} ${e.blockedURI}`));
  });
  return page;
}
