// Follows the link of a notification: node case.mjs LINK DIRECTORY
// from the device that an officer is told of to the episode, its packets and
// its silence; prints what it found as JSON.
import { join } from "node:path";
import { check, launch, watch } from "./watch.mjs";

const [link, out] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 390, height: 844 }, acceptDownloads: true, timezoneId: "Asia/Singapore" });
const page = await watch(context, link);
await page.goto(link);
check(await page.getByText("1 open episode").isVisible(), "the device does not show its open episode");
check(await page.getByRole("heading", { name: "Speaks for it" }).isVisible(), "the device does not say why");
await page.screenshot({ path: join(out, "device-390.png"), fullPage: true });
await page.locator(".brief h3 a").first().click();
const sentence = await page.locator("h1.sentence").innerText();
const rows = await page.locator("table.servers tbody tr").count();
check(rows > 0, "the episode shows no server");
check(await page.locator("td.hit").count() > 0, "no basis is marked as restricted");
await page.screenshot({ path: join(out, "episode-390.png"), fullPage: true });
const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /Packets/ }).click()]);
await download.saveAs(join(out, "packets.pcapng"));
const silence = await page.getByRole("link", { name: /Silence/ }).getAttribute("href");
await page.setViewportSize({ width: 1280, height: 900 });
for (const [name, path] of [["episode", page.url()], ["now", "/"], ["health", "/health"], ["residency", "/residency"], ["fleet", "/fleet"]]) {
  await page.goto(new URL(path, link).href);
  await page.screenshot({ path: join(out, `${name}-1280.png`), fullPage: true });
}
await browser.close();
console.log(JSON.stringify({ sentence, rows, silence, file: download.suggestedFilename() }));
