// Two clips of one person are laid onto each other and looked at frame by frame, then one against a stored reference:
// both pictures are at the frames that belong together, by their own positions.

import { accessible, api, assert, built, drive, eventually, fits, inkOf, options, picture } from "./drive.mjs";

const comparisonOf = async (page) => {
  await page.waitForURL(/compare=/, { timeout: 120_000 });
  const { comparison } = await api("GET", `compare/${new URL(page.url()).searchParams.get("compare")}`);
  return comparison;
};

/** Where both videos are, once neither is on its way. */
const positions = (page) =>
  eventually(
    () =>
      page.evaluate(() => {
        const at = (side) => document.querySelector(`.pane-${side} video`);
        const [attempt, sample] = [at("attempt"), at("sample")];
        if (attempt.seeking || sample.seeking || sample.readyState < 2) return null;
        return { attempt: attempt.currentTime, sample: sample.currentTime };
      }),
    "both videos have come to rest",
  );

const frameOf = async (page) => Number(await page.locator(".scrub").inputValue());

/** Both videos show what belongs together, told by their own clocks. */
async function locked(page, comparison) {
  const frame = await frameOf(page);
  const known = comparison.frames.filter(({ attempt_frame }) => attempt_frame <= frame).map(({ sample_frame }) => sample_frame);
  const expected = known.findLast((sample) => sample !== null) ?? comparison.frames.find((pair) => pair.sample_frame !== null).sample_frame;
  const found = async () => {
    const { attempt, sample } = await positions(page);
    return { attempt: Math.floor(attempt * comparison.attempt_fps), sample: Math.floor(sample * comparison.reference.fps) };
  };
  await eventually(async () => {
    const { attempt, sample } = await found();
    return attempt === frame && sample === Math.round(expected);
  }, `frame ${frame} beside frame ${Math.round(expected)}, not ${JSON.stringify(await found())}`);
  return { frame, sample: Math.round(expected) };
}

await drive(async (open) => {
  const page = await open("/ui/compare/", { width: 375, height: 812, locale: "ko-KR" });
  await page.getByRole("heading", { name: "두 영상 비교" }).waitFor();
  await fits(page);
  await accessible(page);
  await page.getByLabel("시범 영상").setInputFiles({ name: "notes.mp4", mimeType: "video/mp4", buffer: Buffer.from("no video") });
  await page.getByLabel("내 영상").setInputFiles(options.attempt);
  await page.getByRole("button", { name: "비교하기" }).click();
  await page.getByText("시범: 읽을 수 있는 영상이 아닙니다.").waitFor({ timeout: 60_000 });
  await picture(page, "compare-refused-375");

  await page.getByRole("button", { name: "English" }).click();
  await page.getByLabel("Video of the sample").setInputFiles(options.video);
  await page.getByLabel("Exercise").selectOption("squat");
  await page.getByLabel("Compare outlines, too").check();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Sample: Finding the person").waitFor();
  const [cancelled] = await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === "DELETE"),
    page.getByRole("button", { name: "Cancel" }).click(),
  ]);
  assert.equal(cancelled.status(), 204, "the work on it ends, too");
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  await page.getByRole("progressbar").waitFor();
  await picture(page, "compare-working-375");

  const comparison = await comparisonOf(page);
  await page.getByRole("img", { name: `${Math.round(comparison.score)} of 100` }).waitFor();
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.getByRole("slider", { name: "Frame of the attempt" }).focus();
  for (const [keys, frame] of [["Home", 0], ["Shift+ArrowRight", 10], ["ArrowRight", 11], ["ArrowLeft", 10], ["End", comparison.attempt_frames - 1]]) {
    await page.keyboard.press(keys);
    assert.equal((await locked(page, comparison)).frame, frame);
  }
  const laid = comparison.frames.filter(({ sample_frame }) => sample_frame !== null);
  const seen = new Set();
  for (let at = 0; at < laid.length; at += Math.ceil(laid.length / 8)) {
    await page.locator(".scrub").fill(String(laid[at].attempt_frame));
    seen.add((await locked(page, comparison)).sample);
  }
  assert.ok(seen.size >= 3, `the sample moves with the attempt: ${[...seen]}, ${laid.length} frames are laid`);

  await page.keyboard.press("Home");
  await locked(page, comparison);
  await page.keyboard.press(" ");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await eventually(async () => (await frameOf(page)) >= 12, "it plays");
  await page.keyboard.press(" ");
  await page.getByRole("button", { name: "Play" }).waitFor();
  await locked(page, comparison);

  const [{ number, start_s }] = comparison.repetitions;
  await page.getByRole("button", { name: `Go to repetition ${number}` }).click();
  assert.equal((await locked(page, comparison)).frame, Math.floor(start_s * comparison.attempt_fps + 1e-3));
  await page.getByRole("button", { name: `Worst moment of repetition ${number}` }).click();
  await locked(page, comparison);
  await eventually(() => inkOf(page.locator(".curves canvas")), "the curves");
  await page.getByText(`Outlines overlap by ${Math.round(100 * comparison.silhouette_overlap)}%: an explanation`).waitFor();

  const skeleton = page.locator(".pane-attempt .overlay");
  const drawnAt = async (frame) => {
    await page.locator(".scrub").fill(String(frame));
    await eventually(async () => (await skeleton.getAttribute("data-frame")) === String(frame), `the skeleton at ${frame}`);
    return inkOf(skeleton);
  };
  const inks = new Set([await drawnAt(0), await drawnAt(12), await drawnAt(24)]);
  assert.ok(inks.size === 3 && !inks.has(null), `the skeleton moves with the attempt: ${[...inks]}`);
  await page.keyboard.press("s");
  await skeleton.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Skeleton" }).click();
  await skeleton.waitFor();
  await fits(page);
  await accessible(page);
  await picture(page, "compare-1920-light", true);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 375, height: 812 });
  await fits(page);
  await accessible(page);
  await picture(page, "compare-375-dark", true);

  await page.reload(); // the result is kept for an hour, the videos are not
  await page.getByText("Choose the video file again to see it").first().waitFor();
  await page.getByLabel("Video of the attempt: Choose the video file again to see it").setInputFiles(options.attempt);
  await page.locator(".pane-attempt video").waitFor();

  const { reference_id } = await built(options.video, "Squat", "squat");
  await page.goto(new URL("./", page.url()).href);
  await page.getByRole("button", { name: "A stored reference" }).waitFor();
  await page.getByLabel("Which one").selectOption(reference_id);
  await page.getByLabel("Video of the attempt").setInputFiles(options.attempt);
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  const stored = await comparisonOf(page);
  assert.equal(stored.reference.reference_id, reference_id);
  const figure = page.getByRole("img", { name: "Figure of the reference Squat" });
  await eventually(() => inkOf(figure), "the reference's figure beside the attempt");
  const still = await figure.getAttribute("data-frame");
  const fitting = stored.frames.filter(({ sample_frame }) => sample_frame !== null);
  const { attempt_frame, sample_frame } = fitting[Math.floor(fitting.length / 4)];
  await page.locator(".scrub").fill(String(attempt_frame));
  const { template_first_frame, fps } = stored.reference;
  const frame = Math.round(((Math.round(sample_frame) - template_first_frame) * 30) / fps);
  await eventually(async () => (await figure.getAttribute("data-frame")) === String(frame), `the figure at ${frame}, after ${still}`);
  await page.setViewportSize({ width: 1920, height: 1080 });
  await accessible(page);
  await picture(page, "compare-reference-1920-dark", true);
});
