// What the page says besides the score: a camera whose pictures are late, to be put right and back; to stop and rest; a
// tip; explanations of the score. And how a session is set up.

import { accessible, assert, drive, eventually, fits, picture } from "./drive.mjs";

await drive(async (open, complaints) => {
  const page = await open("/ui/", { width: 1920, height: 1080 });
  const session = () => page.evaluate(async () => (await fetch("/api/v1/sessions/live")).json());
  const sync = page.locator(".sync");

  await sync.getByText("Pictures of side are about 47 ms late (± 6 ms).").waitFor();
  await page.locator(".tile", { hasText: "47 ms late" }).waitFor();
  await page.getByText("This does not look like the sample.").waitFor();
  await page.getByText("Press through the whole foot.").waitFor();
  await page.getByText("worded by a language model").waitFor();
  await page.locator(".why").getByText("98%").waitFor();
  await page.locator(".why").getByText("87%").waitFor();
  await accessible(page);
  await picture(page, "told-1920-light", true);

  await sync.getByRole("button", { name: "Put it right side" }).click();
  await sync.getByText("side: 47 ms are taken off its times.").waitFor();
  assert.deepEqual((await session()).lag_us, { side: 47000 });
  await accessible(page);
  await sync.getByRole("button", { name: "Undo side" }).click();
  await sync.getByRole("button", { name: "Put it right side" }).waitFor();
  assert.deepEqual((await session()).lag_us, {});
  await sync.getByLabel("Put late cameras right by itself").check();
  await eventually(async () => (await session()).apply_content_lag, "the switch is kept");

  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Add a camera" }).click();
  await dialog.getByText("--cameras left:0").waitFor(); // front and side are taken
  await dialog.getByRole("button", { name: "Close" }).click();

  await page.getByRole("button", { name: "Session settings" }).click();
  await dialog.getByLabel("Repetitions to do").fill("12");
  await dialog.getByLabel("One instant for all cameras").selectOption("always interpolated");
  await dialog.getByLabel("As in a mirror").uncheck();
  await accessible(page);
  await picture(page, "setup-1920-light");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.locator(".count", { hasText: "of 12" }).waitFor();
  await page.getByRole("alert").getByText("Take a rest.").waitFor();
  assert.equal(await page.locator(".cue").count(), 0, "to stop comes before all advice");
  const { target_repetitions, allow_mirror, resample } = await session();
  assert.deepEqual({ target_repetitions, allow_mirror, resample }, { target_repetitions: 12, allow_mirror: false, resample: true });

  await page.getByRole("button", { name: "한국어" }).click();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 375, height: 812 });
  await page.getByRole("alert").getByText("잠시 쉬어 가세요.").waitFor();
  await fits(page);
  await accessible(page);
  await picture(page, "told-375-dark", true);
  // Nobody brings pictures here, and scoring is away: the browser reports the 404 and 503.
  assert.deepEqual(complaints.splice(0).filter((each) => !/40[49]|503/.test(each)), []);
});
