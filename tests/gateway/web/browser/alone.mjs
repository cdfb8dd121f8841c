// A gateway without cameras and neighbours: the page says what to do, what is away, and that a session is unknown.

import { accessible, assert, drive, fits, picture } from "./drive.mjs";

await drive(async (open, complaints) => {
  for (const [width, height, scheme, locale, title] of [
    [1920, 1080, "dark", "en-US", "Connect your first camera"],
    [375, 812, "light", "ko-KR", "첫 카메라를 연결하세요"],
  ]) {
    const page = await open("/ui/", { width, height, scheme, locale });
    await page.getByRole("heading", { name: title }).waitFor();
    const painted = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    console.log(`${width} px: first paint after ${painted?.toFixed(0)} ms`);
    assert.ok(painted < 20_000, "a second on a quiet machine; here with room for a busy one");
    await fits(page);
    await accessible(page);
    await picture(page, `empty-${width}-${scheme}`, true);
    await page.context().close();
  }

  const keyboard = await open("/ui/");
  await keyboard.getByRole("heading", { name: "Connect your first camera" }).waitFor();
  await keyboard.getByText("there are no scores and no advice until it is back.").waitFor();
  await keyboard.getByRole("button", { name: "Session settings" }).focus();
  await keyboard.keyboard.press("Enter");
  await keyboard.getByRole("dialog").waitFor();
  await accessible(keyboard);
  await keyboard.keyboard.press("Escape");
  await keyboard.getByRole("dialog").waitFor({ state: "detached" });
  const focused = await keyboard.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  assert.equal(focused, "Session settings", "focus comes back to where the dialog was opened");

  await keyboard.getByRole("button", { name: "Add a camera" }).first().click();
  await keyboard.getByText("Phones cannot reach this KOMI yet").waitFor();
  await accessible(keyboard);
  await picture(keyboard, "add-camera-loopback");
  await keyboard.keyboard.press("Escape");

  const pages = keyboard.getByRole("navigation", { name: "Pages" });
  await pages.getByRole("link", { name: "History" }).click();
  await keyboard.getByText("A part of KOMI is away.").waitFor();
  await keyboard.getByRole("button", { name: "Try again" }).waitFor();
  await accessible(keyboard);
  await pages.getByRole("link", { name: "Compare" }).click();
  await keyboard.getByLabel("Video of the sample").waitFor({ state: "attached" });
  assert.equal(await keyboard.getByRole("button", { name: "Compare" }).isDisabled(), true, "nothing is chosen yet");
  await accessible(keyboard);

  await keyboard.goto(new URL("/ui/histry/", keyboard.url()).href);
  await keyboard.getByRole("heading", { name: "Connect your first camera" }).waitFor();

  // That scoring is away shows as 503, which the browser reports too.
  assert.deepEqual(complaints.splice(0).filter((each) => !/503|qr\.svg/.test(each)), []);
  const unknown = await open("/ui/?session=nobody%20home");
  await unknown.getByText("There is no session “nobody home”").waitFor();
  await picture(unknown, "unknown-session");
  await unknown.getByRole("button", { name: "Open the live session" }).click();
  await unknown.getByRole("heading", { name: "Connect your first camera" }).waitFor();
  complaints.length = 0; // the browser itself reports the refused handshake and the 404 that explains it
});
