// What charts must do: be drawn, say what the API says, be asked by pointer,
// finger and keys, looked into, taken apart; give way to the server's drawing
// on paper and without JavaScript.
import { check, watch } from "./watch.mjs";

const ask = async (base, path) => (await fetch(new URL(path, base))).json();

// painted counts the colours on the canvas.
const painted = (page) => page.locator(".plot canvas").evaluate((c) => {
  const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  Object.assign(copy.canvas, { width: c.width, height: c.height });
  copy.drawImage(c, 0, 0);
  const { data } = copy.getImageData(0, 0, c.width, c.height);
  return new Set(new Uint32Array(data.buffer)).size;
});

// shown is what the chart says now.
const shown = (page) => page.evaluate(() => ({
  text: document.querySelector(".said").textContent,
  all: Number(document.querySelector(".said [data-n]").dataset.n),
  bands: Object.fromEntries([...document.querySelectorAll(".band")].map((b) => [b.querySelector("b")?.textContent ?? b.querySelector("span").textContent, Number(b.querySelector(".value").dataset.n)])),
}));

// over moves the pointer to a place of the drawing; x from 0 to 1.
async function over(page, x, y = 0.5) {
  const box = await page.locator(".u-over").boundingBox();
  await page.mouse.move(box.x + box.width * x, box.y + box.height * y);
}

async function residency(page, base) {
  await page.goto(new URL("residency", base).href);
  const { cells, from } = await ask(base, "api/v1/residency?daily=1");
  const { days } = await ask(base, "api/v1/watched");
  check(await painted(page) > 8, "residency: the chart is not drawn");
  await page.locator(".plot").scrollIntoViewIfNeeded();
  for (const i of [0, 7, 20, 29]) {
    await over(page, (i + 0.5) / 30);
    const day = new Date(Date.parse(from) + i * 86400000).toISOString().slice(0, 10);
    const want = {};
    for (const c of cells.filter((c) => c.day.startsWith(day))) {
      want[c.country] = (want[c.country] ?? 0) + c.sent_bytes;
    }
    const said = await shown(page);
    const sum = Object.values(want).reduce((a, b) => a + b, 0);
    check(said.text.startsWith(`${day} UTC (`), `residency: asked for ${day} it says ${said.text}`);
    check(said.all === sum, `residency: ${day}: ${said.all} bytes shown, ${sum} by the API`);
    for (const [country, n] of Object.entries(said.bands).filter(([name]) => /^[A-Z]{2}$/.test(name))) {
      check(n === (want[country] ?? 0), `residency: ${day}: ${n} bytes to ${country} shown, ${want[country]} by the API`);
    }
    check(days.some((d) => d.day === day) !== said.text.includes("not watched"), `residency: ${day}: ${said.text}`);
  }
}

async function takenApart(page) {
  const first = page.locator(".band").first();
  const before = await painted(page);
  await first.click();
  check(await first.getAttribute("aria-pressed") === "false" && await painted(page) < before, "a band cannot be taken off");
  await first.press("Space");
  check(await first.getAttribute("aria-pressed") === "true" && await painted(page) === before, "a band does not come back by keyboard");
  await page.getByRole("button", { name: "Shares" }).click();
  check(/ · [\d.]+ %$/.test(await page.locator(".band .value").first().innerText()), "shares are not said");
  await page.getByRole("button", { name: "Shares" }).click();
}

async function byKeys(page) {
  const plot = page.getByRole("slider");
  await plot.focus();
  await plot.press("Home");
  const first = await plot.getAttribute("aria-valuetext");
  await plot.press("ArrowRight");
  check(await plot.getAttribute("aria-valuenow") === "2" && await plot.getAttribute("aria-valuetext") !== first, "the keyboard does not lead from day to day");
  await plot.press("+");
  const whole = page.getByRole("button", { name: "Whole period" });
  check(await whole.isVisible(), "the keyboard does not zoom");
  await plot.press("End");
  check(await page.locator(".mark").isVisible(), "what is asked for is out of sight");
  await plot.press("Escape");
  check(!(await whole.isVisible()), "the keyboard does not lead back to the whole period");
  await over(page, 0.2);
  await page.mouse.down();
  await over(page, 0.5);
  await page.mouse.up();
  check(await whole.isVisible(), "the pointer does not zoom");
  await whole.click();
}

async function lanes(page, base) {
  const { episodes } = await ask(base, "api/v1/episodes?days=3660");
  const e = episodes.filter((e) => e.first !== e.last).sort((a, b) => b.servers.length - a.servers.length)[0];
  for (const path of [`episode/${e.id}`, `device/${e.device}`]) {
    await page.goto(new URL(path, base).href);
    check(await painted(page) > 3, `${path}: the chart is not drawn`);
    await page.locator(".plot").scrollIntoViewIfNeeded();
    const n = await page.locator("[data-lane]").count();
    for (let i = 0; i < n; i++) {
      await over(page, 0.5, (i + 0.7) / n);
      const { text, all } = await shown(page);
      const at = e.servers.find((s) => text.startsWith(s.name || s.addr.replace(/^\[?(.*?)\]?:\d+$/, "$1")) && s.sent_bytes === all);
      check(at || path.startsWith("device"), `${path}: no server of the API is as the chart says: ${text}`);
    }
  }
}

async function trend(page, base) {
  await page.goto(base);
  const { episodes } = await ask(base, "api/v1/episodes?days=14");
  await page.locator(".plot").scrollIntoViewIfNeeded();
  for (const i of [3, 9, 13]) {
    await over(page, (i + 0.5) / 14);
    const { text, all } = await shown(page);
    const of = episodes.filter((e) => e.opened.startsWith(text.slice(0, 10)));
    check(all === of.reduce((n, e) => n + e.sent_bytes, 0), `now: ${text}: ${all} bytes shown, not as by the API`);
    check(text.includes(`· ${of.length} episode`), `now: ${text}: ${of.length} episodes by the API`);
  }
}

export async function charts(browser, base) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "Asia/Singapore" });
  const page = await watch(context, base);
  await residency(page, base);
  await takenApart(page);
  await byKeys(page);
  const picture = () => page.locator(".plot canvas").evaluate((c) => c.toDataURL());
  const light = await picture();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  check(light !== await picture(), "the chart does not follow dark and light");
  await page.emulateMedia({ media: "print", colorScheme: "light" });
  check(!(await page.locator(".plot").isVisible()) && await page.locator(".drawn").isVisible(), "paper does not get the server's drawing");
  await page.emulateMedia({ media: "screen" });
  await lanes(page, base);
  await trend(page, base);
  await context.close();

  const finger = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, timezoneId: "Asia/Singapore" });
  const phone = await watch(finger, base);
  await phone.goto(new URL("residency", base).href);
  const before = await shown(phone);
  const box = await phone.locator(".u-over").boundingBox();
  await phone.locator(".plot").scrollIntoViewIfNeeded();
  await phone.locator(".u-over").tap({ position: { x: box.width / 4, y: 50 } });
  check((await shown(phone)).text !== before.text, "a finger asks for nothing");
  await finger.close();

  const plain = await browser.newContext({ javaScriptEnabled: false });
  const still = await plain.newPage();
  for (const path of ["", "residency"]) {
    await still.goto(new URL(path, base).href);
    check(await still.locator(".chart.drawn svg").isVisible(), `${path} without JavaScript: no chart`);
  }
  await plain.close();
}
