// Two cameras on real video: both move, a reference is uploaded on the page, score and repetitions come, the language
// switches and is remembered.

import { writeFileSync } from "node:fs";

import { accessible, assert, drive, eventually, fits, inkOf, options, picture } from "./drive.mjs";

/** Whether a canvas holds the ghost's colour, which no joint has. */
const bluish = (canvas) =>
  canvas.evaluate((element) => {
    const copy = new OffscreenCanvas(element.width, element.height).getContext("2d");
    copy.drawImage(element, 0, 0);
    const { data } = copy.getImageData(0, 0, element.width, element.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 60 && data[i + 2] > 230 && data[i + 2] > data[i] + 50) count++;
    return count > 500;
  });

await drive(async (open) => {
  // A camera that was there alone goes on when a second one joins: its tile once went blank.
  const page = await open("/ui/", { width: 1920, height: 1080 });
  const tiles = page.locator(".tile");
  await eventually(async () => (await tiles.count()) === 1, "a tile for the one camera");
  await eventually(() => inkOf(tiles.first().locator("canvas.picture")), "the picture of the one camera");
  writeFileSync(options.alone, "");
  await eventually(async () => (await tiles.count()) === 2, "a tile a camera");

  for (const layer of ["canvas.picture", "canvas.overlay"]) {
    const firsts = [];
    for (const at of [0, 1]) {
      const canvas = tiles.nth(at).locator(layer);
      firsts.push(await eventually(() => inkOf(canvas), `${layer} of camera ${at}`));
    }
    for (const at of [0, 1]) {
      const canvas = tiles.nth(at).locator(layer);
      await eventually(async () => ![firsts[at], null].includes(await inkOf(canvas)), `camera ${at} moves in ${layer}`);
    }
  }

  await page.getByRole("button", { name: "Choose", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.locator('input[accept="video/*"]').setInputFiles(options.video);
  await dialog.getByLabel("Name").fill("Squat");
  await dialog.getByLabel("Exercise").selectOption("squat");
  await accessible(page);
  await dialog.getByRole("button", { name: "Build reference" }).click();
  await dialog.getByRole("progressbar").waitFor();
  await picture(page, "reference-building");
  await dialog.getByText("is ready and in use").waitFor({ timeout: 120_000 });
  await dialog.getByRole("button", { name: "Details of Squat" }).click();
  const strip = dialog.locator("img.strip");
  await eventually(() => strip.evaluate((image) => image.naturalWidth > 500), "pictures of the movement");
  await accessible(page);
  await picture(page, "library-pictures");
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.locator(".reference-name", { hasText: "Squat" }).waitFor();

  const number = page.locator(".dial-number");
  const first = await eventually(async () => /^\d+$/.test(await number.innerText()) && number.innerText(), "a score", 60_000);
  await eventually(async () => !["–", first].includes(await number.innerText()), "the score changes", 60_000);
  await eventually(async () => Number(await page.locator(".count").innerText()) >= 1, "a repetition is counted", 60_000);
  await page.locator(".bars li").first().waitFor();
  await eventually(async () => (await page.locator(".cue-text").innerText()) !== "", "a sentence to the person");
  await page.locator(".latency-total").waitFor();
  await eventually(async () => (await page.locator(".sync tbody tr").count()) === 2, "a line a camera");

  await page.getByLabel("Show over the cameras").check();
  await page.mouse.wheel(0, -5000);
  await eventually(() => bluish(tiles.first().locator("canvas.overlay")), "the reference over the person", 60_000);
  await picture(page, "session-ghost");

  const opacity = () => tiles.first().evaluate((tile) => getComputedStyle(tile).opacity);
  await eventually(async () => (await opacity()) === "1", "what is live does not look stale");

  await fits(page);
  await accessible(page);
  await picture(page, "session-1920-light", true);
  await page.emulateMedia({ colorScheme: "dark" });
  await accessible(page);
  await picture(page, "session-1920-dark", true);

  await page.getByRole("button", { name: "한국어" }).click();
  await page.getByRole("heading", { name: "점수", exact: true }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "점수", exact: true }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ko");

  await page.setViewportSize({ width: 375, height: 812 });
  await eventually(() => inkOf(tiles.nth(1).locator("canvas.picture")), "the picture on a phone");
  await page.waitForFunction(() => /^\d+$/.test(document.querySelector(".dial-number")?.textContent ?? ""), null, { timeout: 60_000 });
  await fits(page);
  await accessible(page);
  await picture(page, "session-375-dark", true);
  await page.emulateMedia({ colorScheme: "light" });
  await picture(page, "session-375-light", true);
});
