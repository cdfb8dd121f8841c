// A reference with two versions: its pictures, curves and exercise; back to the first version and forth again; out as a
// file, deleted, and in again from the file.

import { join } from "node:path";

import { accessible, assert, drive, eventually, fits, options, picture } from "./drive.mjs";

await drive(async (open) => {
  const page = await open("/ui/", { width: 1920, height: 1080 });
  await page.getByRole("button", { name: "Choose", exact: true }).click();
  const dialog = page.getByRole("dialog");
  const choice = dialog.locator(".choice").first();
  await choice.getByRole("button", { name: "Details of Squat" }).click();
  await choice.getByText("How to do it: Squat").click();
  await choice.getByText("Step by step").waitFor();
  const versions = choice.locator(".versions li");
  await eventually(async () => (await versions.count()) === 2, "both versions");
  await accessible(page);
  await picture(page, "library-1920-light");

  for (const [at, version] of [[1, 1], [0, 2]]) {
    await versions.nth(at).getByRole("button", { name: `Use this one Version ${version}` }).click();
    await versions.nth(at).getByText("in use").waitFor();
    await eventually(async () => (await choice.locator(".versions .chosen").count()) === 1, "one version in use");
  }

  const [download] = await Promise.all([page.waitForEvent("download"), versions.nth(0).getByRole("link").click()]);
  assert.match(download.suggestedFilename(), /^Squat\.komi$/);
  const file = join(options.downloads, "squat.komi");
  await download.saveAs(file);

  await choice.getByRole("button", { name: "Delete" }).click();
  await choice.getByRole("button", { name: "Delete for good?" }).click();
  await dialog.getByText("No references yet.").waitFor();
  await dialog.locator('input[accept=".komi"]').setInputFiles(file);
  await dialog.getByText("“Squat” was imported.").waitFor();
  await eventually(async () => (await dialog.locator(".choice", { hasText: "Squat" }).count()) === 1, "the imported one");

  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 375, height: 812 });
  await dialog.getByRole("button", { name: "Details of Squat" }).click();
  await dialog.getByText("How to do it: Squat").click();
  await dialog.locator(".versions li").waitFor();
  await fits(page);
  await accessible(page);
  await picture(page, "library-375-dark");
  await dialog.evaluate((element) => element.scrollTo(0, 700));
  await picture(page, "library-375-dark-below");
});
