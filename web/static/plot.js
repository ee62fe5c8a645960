// What the charts of these pages share: a drawing that is asked by pointer,
// touch and keys, and looked into. The server's own drawing stays in the page,
// for paper and for browsers without scripts.

export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
export const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const font = (size) => `${size * rem()}px ${getComputedStyle(document.body).fontFamily}`;

export function element(name, className, text) {
  const e = document.createElement(name);
  e.className = className || "";
  e.textContent = text || "";
  return e;
}

export function button(text, press) {
  const b = element("button", "tool", text);
  b.type = "button";
  b.addEventListener("click", press);
  return b;
}

// zone is the viewer's, empty when it is UTC at that time.
export function zone(at) {
  if (at.getTimezoneOffset() === 0) { return ""; }
  return new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(at).find((p) => p.type === "timeZoneName").value;
}

export function clock(at, options, utc) {
  return new Intl.DateTimeFormat(undefined, { hourCycle: "h23", timeZone: utc ? "UTC" : undefined, ...options }).format(at);
}

// plot draws in place of what the server drew in box. p has
//   label          what it is, for those who do not see it
//   count, first   how many things can be asked for, which is asked for first
//   whole, least   the ends of the axis, and how far one can look into it
//   options, data  for uPlot
//   pick(u, x, y)  what is there, -1 for nothing
//   place(u, i)    where i is: centre on the axis, and its rectangle in pixels
//   said, say(i)   where what is known of i is shown; shows it and returns it in words
export function plot(box, p) {
  let view = p.whole.slice(), at = -1;
  const frame = element("div", "plot");
  const mark = element("div", "mark");
  const tools = element("div", "tools");
  const all = button("Whole period", () => look(p.whole));
  tools.append(button("Zoom in", () => zoom(0.5)), button("Zoom out", () => zoom(2)), all, ...(p.tools || []));
  frame.tabIndex = 0;
  for (const [k, v] of Object.entries({ role: "slider", "aria-label": p.label, "aria-orientation": "horizontal", "aria-valuemin": 1, "aria-valuemax": p.count, "aria-keyshortcuts": "+ - 0" })) {
    frame.setAttribute(k, v);
  }
  box.prepend(p.said, frame);
  box.append(tools);
  box.classList.add("asking");

  const options = p.options();
  options.width = frame.clientWidth;
  options.height = frame.clientHeight;
  options.scales.x.range = () => view;
  options.legend = { show: false };
  options.cursor = { x: false, y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 8 }, bind: { dblclick: () => () => look(p.whole) } };
  options.hooks = { ...options.hooks, draw: [...(options.hooks.draw || []), outline], setSelect: [(u) => {
    const { left, width } = u.select;
    if (width > 8) { look([u.posToVal(left, "x"), u.posToVal(left + width, "x")]); }
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }] };
  const u = new uPlot(options, p.data(), frame);
  const canvas = frame.querySelector("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", p.label);
  u.over.append(mark);

  function outline(u) { // where the axis is known only after a drawing
    if (at < 0) { return; }
    const r = p.place(u, at);
    const left = Math.max(0, r.left), right = Math.min(u.over.clientWidth, r.left + r.width);
    mark.hidden = right <= left;
    Object.assign(mark.style, { left: `${left}px`, width: `${right - left}px`, top: `${r.top}px`, height: `${r.height}px` });
  }

  function ask(i) {
    at = i;
    frame.setAttribute("aria-valuenow", i + 1);
    frame.setAttribute("aria-valuetext", p.say(i));
    outline(u);
  }

  function look(to) {
    const length = Math.min(Math.max(to[1] - to[0], p.least), p.whole[1] - p.whole[0]);
    const from = Math.min(Math.max((to[0] + to[1] - length) / 2, p.whole[0]), p.whole[1] - length);
    view = [from, from + length];
    all.hidden = length >= p.whole[1] - p.whole[0];
    u.setScale("x", { min: view[0], max: view[1] });
  }

  function zoom(by) {
    const half = (view[1] - view[0]) * by / 2;
    const centre = p.place(u, at).centre;
    look([centre - half, centre + half]);
  }

  function step(to) {
    ask(Math.min(Math.max(to, 0), p.count - 1));
    const centre = p.place(u, at).centre, half = (view[1] - view[0]) / 2;
    if (centre < view[0] || centre > view[1]) { look([centre - half, centre + half]); }
  }

  const keys = {
    ArrowLeft: () => step(at - 1), ArrowDown: () => step(at - 1), ArrowRight: () => step(at + 1), ArrowUp: () => step(at + 1),
    PageDown: () => step(at - 7), PageUp: () => step(at + 7), Home: () => step(0), End: () => step(p.count - 1),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => look(p.whole), Escape: () => look(p.whole),
  };
  frame.addEventListener("keydown", (e) => {
    if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) { return; }
    e.preventDefault();
    keys[e.key]();
  });
  const pointed = (e) => {
    const r = u.over.getBoundingClientRect();
    const i = p.pick(u, e.clientX - r.left, e.clientY - r.top);
    if (i >= 0) { ask(i); }
  };
  u.over.addEventListener("pointermove", pointed);
  u.over.addEventListener("pointerdown", pointed);

  const again = () => u.redraw(true, true);
  new ResizeObserver(() => u.setSize({ width: frame.clientWidth, height: frame.clientHeight })).observe(frame);
  for (const q of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) { matchMedia(q).addEventListener("change", again); }
  all.hidden = true;
  ask(p.first);
  return {
    refresh() {
      u.setData(p.data());
      ask(at);
    },
  };
}
