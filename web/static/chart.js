// Bytes by day or week, stacked: read from the table that the page has of
// them, so that what is drawn and said is what the server counted.
import { button, clock, element, font, plot, rem, theme, zone } from "./plot.js";

const DAY = 86400000;
const binary = Array.from({ length: 61 }, (_, i) => 2 ** i); // steps of an axis of bytes
const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

function size(n) {
  const k = n > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(n) / 10)) : 0;
  return `${+(n / 2 ** (10 * k)).toFixed(1)} ${units[k]}`;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

function read(table) {
  const heads = [...table.tHead.rows[0].cells];
  const number = (cell) => ({ n: Number(cell.dataset.n), text: cell.textContent });
  return {
    unit: table.dataset.unit,
    title: table.caption.textContent,
    names: heads.filter((h) => h.dataset.band).map((h) => h.textContent),
    rows: [...table.tBodies[0].rows].map((row) => {
      const cells = [...row.cells];
      return {
        day: row.dataset.day, start: new Date(row.dataset.day + "T00:00:00Z"), mark: row.dataset.mark,
        values: cells.filter((_, i) => heads[i].dataset.band).map(number),
        all: number(cells[heads.findIndex((h) => "all" in h.dataset)]),
        notes: cells.map((c, i) => "note" in heads[i].dataset && [heads[i].dataset.note, c.textContent]).filter(Boolean),
      };
    }),
  };
}

function chart(box) {
  const t = read(document.getElementById(box.dataset.chart));
  const on = t.names.map(() => true);
  const items = [...box.querySelectorAll(".legend li")];
  const color = (i) => getComputedStyle(items[i].querySelector("rect")).fill;
  const said = element("p", "said");
  let shares = false;

  // The legend says what each band has, and takes it off and on.
  const values = items.map((item, i) => {
    const b = element("button", "band");
    const value = element("span", "value");
    b.type = "button";
    b.setAttribute("aria-pressed", "true");
    b.append(...item.childNodes, value);
    b.addEventListener("click", () => {
      on[i] = !on[i];
      b.setAttribute("aria-pressed", String(on[i]));
      drawn.refresh();
    });
    item.append(b);
    return value;
  });
  const share = button("Shares", () => {
    shares = !shares;
    share.setAttribute("aria-pressed", String(shares));
    drawn.refresh();
  });
  share.setAttribute("aria-pressed", "false");

  const shown = (row) => row.values.reduce((sum, v, i) => sum + (on[i] ? v.n : 0), 0);

  // Each band reaches from the bottom over all below it; the highest is drawn first.
  function data() {
    const stacks = t.names.map(() => []);
    for (const row of t.rows) {
      const whole = shares ? shown(row) / 100 || 1 : 1;
      let sum = 0;
      row.values.forEach((v, i) => {
        sum += on[i] ? v.n : 0;
        stacks[i].push(on[i] && v.n > 0 ? sum / whole : null);
      });
    }
    return [t.rows.map((_, i) => i), ...stacks.reverse()];
  }

  function say(i) {
    const row = t.rows[i], whole = shown(row);
    row.values.forEach((v, k) => {
      values[k].textContent = shares && on[k] && whole > 0 ? `${v.text} · ${percent(v.n / whole)}` : v.text;
      values[k].dataset.n = v.n;
    });
    const end = new Date(row.start.getTime() + (t.unit === "week" ? 7 : 1) * DAY);
    const when = element("b", "", t.unit === "week" ? `week of ${row.day}` : row.day);
    const local = zone(row.start) ? ` (${[row.start, end].map((d) => clock(d, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })).join(" to ")} ${zone(row.start)})` : "";
    const notes = row.mark === "none" ? [`not watched: nothing can be said of this ${t.unit}`]
      : [`${row.all.text} in all`, ...row.notes.map(([word, text]) => word === "watched" ? `${word} ${text}` : `${text} ${word}`.trim())];
    const all = element("span", "", ` UTC${local}: ${notes.join(" · ")}`);
    all.dataset.n = row.all.n;
    said.replaceChildren(when, all);
    return `${when.textContent}: ${notes[0]}. ${row.values.map((v, k) => on[k] && v.n > 0 ? `${t.names[k]} ${values[k].textContent}` : "").filter(Boolean).join(", ")}`;
  }

  // Grey behind what nobody watched, as on the server's drawing.
  function unwatched(u) {
    t.rows.forEach((row, i) => {
      if (!row.mark) { return; }
      const left = u.valToPos(i - 0.43, "x", true), right = u.valToPos(i + 0.43, "x", true);
      const from = Math.max(left, u.bbox.left), to = Math.min(right, u.bbox.left + u.bbox.width);
      if (to <= from) { return; }
      u.ctx.save();
      u.ctx.globalAlpha = row.mark === "none" ? 0.6 : 0.25;
      u.ctx.fillStyle = theme("--line");
      u.ctx.fillRect(from, u.bbox.top, to - from, u.bbox.height);
      u.ctx.restore();
    });
  }

  const year = new Set(t.rows.map((r) => r.day.slice(0, 4))).size > 1 ? "2-digit" : undefined;
  const bars = uPlot.paths.bars({ size: [0.86, Infinity] });
  const drawn = plot(box, {
    label: `${t.title}: arrow keys go from ${t.unit} to ${t.unit}, plus and minus zoom; the table below has the same numbers`,
    count: t.rows.length, first: t.rows.length - 1, whole: [-0.5, t.rows.length - 0.5], least: 3, tools: [share], data, said, say,
    pick: (u, x) => Math.min(Math.max(Math.round(u.posToVal(x, "x")), 0), t.rows.length - 1),
    place(u, i) {
      const left = u.valToPos(i - 0.5, "x");
      return { centre: i, left, width: u.valToPos(i + 0.5, "x") - left, top: 0, height: u.over.clientHeight + 5 };
    },
    options: () => ({
      padding: [rem() / 2, rem() / 2, 0, 0],
      scales: { x: { time: false }, y: { range: (u, min, max) => [0, shares ? 100 : (max || 1) * 1.04] } },
      series: [{}, ...t.names.map((_, i) => t.names.length - 1 - i).map((i) => ({
        paths: bars, points: { show: false }, stroke: () => theme("--surface"), width: 1, fill: () => color(i),
      }))],
      axes: [
        { stroke: () => theme("--soft"), font: font(0.75), size: 2 * rem(), space: 4.5 * rem(), incrs: [1, 2, 5, 7, 14, 28, 56], grid: { show: false }, ticks: { stroke: () => theme("--line"), size: 4 },
          values: (u, splits) => splits.map((i) => t.rows[i] ? clock(t.rows[i].start, { day: "numeric", month: "short", year }, true) : "") },
        { stroke: () => theme("--soft"), font: font(0.75), size: 4.4 * rem(), space: 2.5 * rem(), incrs: () => shares ? [5, 10, 20, 25, 50] : binary, grid: { stroke: () => theme("--line"), width: 1 }, ticks: { show: false },
          values: (u, splits) => splits.map((n) => shares ? `${n} %` : size(n)) },
      ],
      hooks: { drawClear: [unwatched] },
    }),
  });
}

document.querySelectorAll("[data-chart]").forEach(chart);
