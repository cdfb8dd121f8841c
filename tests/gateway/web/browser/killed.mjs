// The gateway dies and comes back: the page says so, connects again by itself, and gets the repetition it missed.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { assert, drive, eventually, options, picture } from "./drive.mjs";

const step = (name) => writeFileSync(join(options.steps, name), "");

await drive(async (open, complaints) => {
  const page = await open("/ui/");
  const connection = page.locator(".pill").first();
  const bars = page.locator(".bars li");
  await eventually(async () => (await connection.innerText()) === "Live", "a connection");
  await page.evaluate(() => {
    window.opened = true;
  });
  step("open");
  await eventually(async () => (await bars.count()) === 1, "the first repetition");
  await page.locator(".score").getByText("hips sagging").waitFor(); // what its score counts, while the person rests
  step("counted");
  await page.getByText("The gateway does not answer. Trying again by itself.").waitFor({ timeout: 60_000 });
  await picture(page, "gateway-away");
  step("away");
  await eventually(async () => (await connection.innerText()) === "Live", "a connection again", 90_000);
  await eventually(async () => (await bars.count()) === 2, "the repetition that was missed", 60_000);
  assert.ok(await page.evaluate(() => window.opened), "the page was not loaded anew");
  complaints.length = 0; // the browser reports every refused connection, and 503 of the services that are away
});
