// When each server was sent to: read from the server's own drawing. The
// viewer's time is below, UTC above.
import { clock, element, font, plot, rem, theme, zone } from "./plot.js";

function read(box) {
  const spans = [];
  const lanes = [...box.querySelectorAll("[data-lane]")].map((item, lane) => {
    for (const r of item.querySelectorAll("[data-first]")) {
      spans.push({ lane, first: Date.parse(r.dataset.first) / 1000, last: Date.parse(r.dataset.last) / 1000, addr: r.dataset.addr, sent: r.dataset.sent, n: r.dataset.n });
    }
    return { name: item.dataset.lane, sent: item.dataset.sent };
  });
  return { lanes, spans: spans.sort((a, b) => a.lane - b.lane || a.first - b.first) };
}

// labels of an axis of time; the day stands where it begins to be another, in
// a line of its own or not.
function labels(utc, lines) {
  return (u, splits, axis, space, step) => {
    let day = "";
    return splits.map((s) => {
      const at = new Date(s * 1000), today = clock(at, { day: "numeric", month: "short" }, utc);
      const time = clock(at, { hour: "2-digit", minute: "2-digit", second: step < 60 ? "2-digit" : undefined }, utc);
      const text = step >= 86400 ? today : today === day ? time : lines ? `${time}\n${today}` : `${today}, ${time}`;
      day = today;
      return text;
    });
  };
}

function lanes(box) {
  const { lanes, spans } = read(box);
  const said = element("p", "said");
  const from = Math.min(...spans.map((s) => s.first)), to = Math.max(...spans.map((s) => s.last));
  const margin = Math.max((to - from) * 0.02, 1);
  const local = zone(new Date(to * 1000));

  // rect of a span on a drawing whose lanes begin at x, y and are high; the name stands above it.
  function rect(u, s, canvas) {
    const high = (canvas ? u.bbox.height : u.over.clientHeight) / lanes.length;
    const left = u.valToPos(s.first, "x", canvas);
    return { left, width: Math.max(u.valToPos(s.last, "x", canvas) - left, 5 * (canvas ? devicePixelRatio : 1)), top: (canvas ? u.bbox.top : 0) + high * (s.lane + 0.56), height: high * 0.32 };
  }

  function draw(u) {
    const { ctx, bbox } = u, scale = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = theme("--observe-bg");
    const high = bbox.height / lanes.length;
    lanes.forEach((_, i) => ctx.fillRect(bbox.left, bbox.top + high * (i + 0.56), bbox.width, high * 0.32));
    ctx.fillStyle = theme("--heat-4");
    for (const s of spans) {
      const r = rect(u, s, true);
      ctx.fillRect(r.left, r.top, r.width, r.height);
    }
    ctx.font = font(0.8).replace(/^[\d.]+/, (n) => n * scale);
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    lanes.forEach((lane, i) => {
      const y = bbox.top + high * (i + 0.3), sent = ctx.measureText(lane.sent).width;
      ctx.fillStyle = theme("--text");
      let name = lane.name;
      while (name.length > 4 && ctx.measureText(name + "…").width > bbox.width - sent - 16 * scale) { name = name.slice(0, -1); }
      ctx.fillText(name === lane.name ? name : name + "…", bbox.left, y);
      ctx.fillStyle = theme("--soft");
      ctx.fillText(lane.sent, bbox.left + bbox.width - sent, y);
    });
    ctx.restore();
  }

  function say(i) {
    const s = spans[i], times = [s.first, s.last].map((t) => new Date(t * 1000));
    const date = { day: "numeric", month: "short" }, time = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
    const range = (utc) => {
      const [a, b] = times.map((t) => clock(t, { ...date, ...time }, utc));
      const same = clock(times[0], date, utc) === clock(times[1], date, utc);
      return `${a} to ${same ? clock(times[1], time, utc) : b}`;
    };
    const where = s.addr && s.addr.replace(/:\d+$/, "").replace(/[[\]]/g, "") !== lanes[s.lane].name ? ` (${s.addr})` : "";
    const text = element("span", "", `${where}: ${s.sent}, ${range(true)} UTC${local ? ` (${range(false)} ${local})` : ""}`);
    text.dataset.n = s.n;
    said.replaceChildren(element("b", "", lanes[s.lane].name), text);
    return said.textContent;
  }

  const axis = (utc, label) => ({
    scale: "x", side: utc && local ? 0 : 2, label, labelFont: font(0.75), labelSize: 1.2 * rem(), labelGap: 0, stroke: () => theme("--soft"), font: font(0.75), size: (utc && local ? 1.6 : 2.9) * rem(), space: 6.5 * rem(),
    grid: { show: !utc || !local, stroke: () => theme("--line"), width: 1 }, ticks: { stroke: () => theme("--line"), size: 4 }, values: labels(utc, !utc || !local),
  });
  box.style.setProperty("--lanes", lanes.length);
  plot(box, {
    label: "When each server was sent to: arrow keys go from one to the next, plus and minus zoom; the table of servers has the same",
    count: spans.length, first: 0, whole: [from - margin, to + margin], least: 10, said, say,
    data: () => [[from, to], [0, 0]],
    pick(u, x, y) {
      const lane = Math.floor(y / (u.over.clientHeight / lanes.length)), near = spans.filter((s) => s.lane === lane);
      const off = (s) => { const r = rect(u, s); return Math.max(r.left - x, x - r.left - r.width, 0); };
      return near.length ? spans.indexOf(near.reduce((a, b) => off(b) < off(a) ? b : a)) : -1;
    },
    place: (u, i) => ({ centre: (spans[i].first + spans[i].last) / 2, ...rect(u, spans[i]) }),
    options: () => ({
      padding: [rem() / 4, rem(), 0, rem()],
      scales: { x: { time: true }, y: { range: [0, 1] } },
      series: [{}, { show: false }],
      axes: [...(local ? [axis(false, local), axis(true, "UTC")] : [axis(true, "UTC")]), { show: false, scale: "y", side: 3 }],
      hooks: { draw: [draw] },
    }),
  });
}

document.querySelectorAll("[data-lanes]").forEach(lanes);
