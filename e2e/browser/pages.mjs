// Looks at every page with a browser: node pages.mjs URL
// Nothing on the console, nothing from outside, no fault that axe-core calls
// serious or critical, nothing wider than the screen; light and dark, on a
// phone and on a laptop; by keyboard; without JavaScript; filters, pages and
// charts.
import axe from "axe-core";
import { check, launch, watch } from "./watch.mjs";
import { pagesOf } from "./site.mjs";
import { charts } from "./charts.mjs";

const base = process.argv[2];
const browser = await launch();
const paths = (await pagesOf(base)).filter((p) => p !== "/nothing");
let looks = 0;

for (const width of [390, 1280]) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, timezoneId: "Asia/Singapore" });
    const page = await watch(context, base);
    for (const path of paths) {
      await page.goto(new URL(path, base).href);
      const at = `${path} at ${width} ${colorScheme}`;
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(over <= 0, `${at}: ${over} pixels wider than the screen`);
      check(await page.locator("h1").count() === 1, `${at}: not one h1`);
      check(await page.locator("time .local").count() > 0, `${at}: no time in the viewer's zone`);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => axe.run());
      for (const v of violations) {
        const line = `${at}: ${v.impact}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? "")).join(" | ")}`;
        if (v.impact === "serious" || v.impact === "critical") {
          check(false, line);
        } else {
          console.log(line);
        }
      }
      looks++;
    }
    await context.close();
  }
}

// Without JavaScript everything is there, times in UTC.
{
  const context = await browser.newContext({ javaScriptEnabled: false, timezoneId: "Asia/Singapore" });
  const page = await context.newPage();
  for (const path of paths) {
    await page.goto(new URL(path, base).href);
    check((await page.locator("h1").innerText()).length > 0, `${path} without JavaScript: no heading`);
    check(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/.test(await page.locator("footer").innerText()), `${path} without JavaScript: no time in UTC`);
  }
  await context.close();
}

await charts(browser, base);

const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await watch(context, base);

// By keyboard: the first stop skips to the content.
await page.goto(base);
await page.keyboard.press("Tab");
check(await page.evaluate(() => document.activeElement.className) === "skip", "the first stop of the keyboard is not the skip link");
await page.keyboard.press("Enter");
check(await page.evaluate(() => document.activeElement.id) === "main", "the skip link does not lead to the content");
await page.keyboard.press("Tab");
const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth);
check(parseFloat(ring) >= 2, `what has the keyboard's focus has an outline of ${ring}`);

// A long list: filter, order, page.
await page.goto(new URL("devices", base).href);
const count = async () => Number((await page.locator("main > p").first().innerText()).replace(/^.* of /, "").replace(/\D/g, ""));
const all = await count();
await page.getByLabel(/^Maker/).selectOption("vivo");
await page.getByLabel(/^Order/).selectOption("first seen first");
await page.getByRole("button", { name: "Show" }).click();
const some = await count();
check(some > 50 && some < all, `filtering leaves ${some} of ${all} devices`);
const makers = await page.locator("td[data-label=Maker]").allInnerTexts();
check(makers.length === 50 && makers.every((m) => m === "Vivo"), `makers shown: ${makers}`);
const firsts = await page.locator("td[data-label='First seen'] time").evaluateAll((l) => l.map((t) => t.dateTime));
check(firsts.join() === [...firsts].sort().join(), `not in order: ${firsts}`);
await page.getByRole("link", { name: "Next" }).click();
check((await page.locator("main > p").first().innerText()).startsWith("51 to 100 of"), "the second page is not of 51 to 100");
check(page.url().includes("maker=vivo"), "the second page forgot the filter");
await page.getByRole("link", { name: "Previous" }).click();
check((await page.locator("main > p").first().innerText()).startsWith("1 to 50 of"), "the way back does not lead to the first page");
await page.getByRole("columnheader").getByRole("link", { name: "Model" }).click();
check(await page.locator("th[aria-sort=ascending]").innerText() === "Model", "the column says no order");
await page.goto(new URL(`devices?offset=${all - 10}`, base).href);
check(await page.locator("tbody tr td[data-label=Maker]").count() === 10, "the last page has not 10 devices");
await page.getByLabel(/^Find/).fill("da:a1:19:00:00:10");
await Promise.all([page.waitForURL(/[?&]q=da/), page.keyboard.press("Enter")]);
check(await count() === 1, "an address does not find its device");
await page.locator("table.devices tbody a").click();
await page.waitForURL(/\/device\//);
check(await page.getByText("da:a1:19:00:00:10").count() > 0, "the device does not show the address it was found by");

// Paper has no navigation and no forms.
await page.goto(base);
await page.emulateMedia({ media: "print" });
check(!(await page.locator(".top nav").isVisible()), "the navigation is printed");

await browser.close();
console.log(`${looks} looks at ${paths.length} pages, ${all} devices`);
