// Takes a picture of every page: node shots.mjs URL DIRECTORY [PATH...]
// at the widths of a phone, a laptop and a wall display, light and dark.
import { chromium } from "playwright-core";
import { mkdirSync } from "node:fs";
import { executable, pagesOf } from "./site.mjs";

const [base, out, ...only] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });
const paths = only.length ? only : await pagesOf(base);
for (const [width, height] of [[390, 844], [1280, 900], [1920, 1080]]) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, timezoneId: "Asia/Singapore" });
    const page = await context.newPage();
    for (const path of paths) {
      await page.goto(new URL(path, base).href);
      const name = path.replace(/^\//, "").replace(/[^\w]+/g, "-") || "now";
      await page.screenshot({ path: `${out}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) {
        console.log(`${name} at ${width}: ${wide} pixels too wide`);
      }
    }
    await context.close();
  }
}
await browser.close();
