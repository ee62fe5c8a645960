// What the checks share: where the browser is, and which pages there are.
import { existsSync } from "node:fs";

export function executable() {
  for (const path of [process.env.PICKET_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]) {
    if (path && existsSync(path)) {
      return path;
    }
  }
  throw new Error("no Chromium: apt-get install chromium, or set PICKET_CHROMIUM");
}

// pagesOf asks the API for an episode and a device to look at.
export async function pagesOf(base) {
  const ask = async (path) => (await fetch(new URL(path, base))).json();
  const { episodes } = await ask("/api/v1/episodes?days=3660");
  const open = episodes.find((e) => e.closed === null && e.servers.length > 1) ?? episodes[0];
  const closed = episodes.find((e) => e.closed !== null);
  const { devices } = await ask("/api/v1/devices?concern=review&limit=1");
  const paths = ["/", "/episodes", "/review", "/devices", "/residency", "/health", "/fleet", "/devices?q=nobody", "/nothing"];
  for (const e of [open, closed]) {
    if (e) {
      paths.push(`/episode/${e.id}`, `/device/${e.device}`);
    }
  }
  if (devices.length > 0) {
    paths.push(`/device/${devices[0].id}`);
  }
  return [...new Set(paths)];
}
