// Drives Chromium over the page: what every scenario needs. Run by test_browser.py as
// `node SCENARIO.mjs ADDRESS ARTEFACTS [KEY=VALUE…]`; a scenario that throws has failed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(new URL("../../../../services/gateway/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [, , address, artefacts, ...rest] = process.argv;
export const options = Object.fromEntries(rest.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
export { artefacts, assert };

/** What anything gets to appear: only a scenario that fails waits so long, and a busy machine is no failure. */
const PATIENCE_MS = 60_000;

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Opens a browser, runs `scenario(open)` and closes it. `open` gives a page whose console is watched. */
export async function drive(scenario, { args = [], permissions = [] } = {}) {
  const browser = await chromium.launch({ executablePath: options.chromium, args: [...QUIET, ...args], timeout: 120_000 });
  const complaints = [];
  const open = async (path, { width = 1280, height = 800, scheme = "light", locale = "en-US" } = {}) => {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce", locale, permissions });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => complaints.push(String(error.stack)));
    page.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      if (!["blob:", "data:"].includes(protocol) && host !== new URL(address).host) complaints.push(`loads ${request.url()}`);
    });
    await page.goto(address + path, { waitUntil: "load" });
    return page;
  };
  try {
    await scenario(open, complaints);
    assert.deepEqual(complaints, [], "the console has complaints");
  } catch (error) {
    console.error("the console:", complaints);
    for (const [at, page] of browser.contexts().flatMap((context) => context.pages()).entries())
      await picture(page, `failed-${at}`);
    throw error;
  } finally {
    await browser.close();
  }
}

/** Asks the gateway itself, beside the page. */
export async function api(method, path, body) {
  const form = body instanceof FormData;
  const answer = await fetch(`${address}/api/v1/${path}`, {
    method,
    ...(body && { body: form ? body : JSON.stringify(body) }),
    ...(body && !form && { headers: { "Content-Type": "application/json" } }),
  });
  const document = answer.status === 204 ? null : await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${document?.detail}`);
  return document;
}

/** Builds a reference of a video; returns it. */
export async function built(video, name, exercise) {
  const form = new FormData();
  form.append("name", name);
  form.append("exercise", exercise);
  form.append("file", new Blob([readFileSync(video)], { type: "video/mp4" }), "video.mp4");
  const { build_id } = await api("POST", "references", form);
  const over = async () => {
    const build = await api("GET", `references/builds/${build_id}`);
    return build.state !== "running" && build;
  };
  const { reference, problem } = await eventually(over, "the reference is built", 120_000);
  assert.ok(reference, problem?.detail);
  return reference;
}

/** Keeps a picture for people to look at. */
export async function picture(page, name, fullPage = false) {
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage });
}

/** Waits until `question` gives something true; returns it. */
export async function eventually(question, what, within = PATIENCE_MS) {
  const deadline = Date.now() + within;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    assert.ok(Date.now() < deadline, `not within ${within / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A sum over a canvas's pixels, to see it change; null while it is empty. */
export function inkOf(canvas) {
  return canvas.evaluate((element) => {
    if (element.width < 2) return null;
    const copy = new OffscreenCanvas(element.width, element.height);
    const context = copy.getContext("2d");
    context.drawImage(element, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0) sum += data[i] + 3 * data[i + 1] + 7 * data[i + 2];
    return sum > 0 ? sum : null;
  });
}

/** Fails with what axe finds wrong for people who use a screen reader, a keyboard or large contrast. */
export async function accessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" | ")}`);
  assert.deepEqual(found, [], "axe finds the page hard to use");
}

/** No part of the page is wider than the screen. */
export async function fits(page) {
  const { scroll, client } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
  }));
  assert.ok(scroll <= client, `the page is ${scroll} px wide on a screen of ${client}`);
}
