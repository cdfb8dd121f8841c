// The pictures of the READMEs: the live page while the person of the virtual gym is told what to mend, in each language.

import { drive, eventually, inkOf, picture } from "./drive.mjs";

await drive(async (open) => {
  const page = await open("/ui/", { width: 1440, height: 900 });
  const tiles = page.locator(".tile");
  await eventually(async () => (await tiles.count()) === 2, "a tile a camera", 90_000);
  for (const at of [0, 1])
    await eventually(() => inkOf(tiles.nth(at).locator("canvas.overlay")), `the skeleton of camera ${at}`, 90_000);
  const many = (selector) => page.locator(selector).count();
  const told = async () =>
    (await many(".bars .grade-good")) >= 3 && (await many(".bars .grade-poor")) > 0 && (await many(".cue-mend, .state-tracking .phase, .dial.grade-poor, .joint-wrong:first-child")) === 4;
  for (const [language, name] of [["en", "English"], ["ko", "한국어"]]) {
    await page.getByRole("button", { name }).click();
    await eventually(told, "somebody who moves, and is told what to mend, after good repetitions and a poor one", 300_000);
    await picture(page, `page.${language}`);
  }
});
