// A person squats before a camera: the performance becomes a report, which the history lists and shows, in both
// languages, downloads, prints and deletes, but not while it goes on.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { accessible, api, artefacts, assert, built, drive, eventually, fits, inkOf, options, picture } from "./drive.mjs";

await drive(async (open, complaints) => {
  const page = await open("/ui/history/", { width: 375, height: 812 });
  await page.getByRole("heading", { name: "No performances yet" }).waitFor();
  await fits(page);
  await accessible(page);
  await picture(page, "history-empty-375-light");
  writeFileSync(options.empty, "");

  const { reference_id } = await built(options.video, "Squat", "squat");
  await api("PATCH", "sessions/live", { reference_id });
  const performed = async () => (await api("GET", "reports")).reports.find((report) => report.repetition_count >= 2);
  const { report_id } = await eventually(performed, "a performance of two repetitions", 90_000);

  await page.reload();
  const line = page.getByRole("link", { name: "Squat" });
  await line.getByText("in progress").waitFor();
  await line.click();
  await page.getByText("In progress. This page follows it.").waitFor();
  assert.equal(new URL(page.url()).searchParams.get("report"), report_id, "the address names the report");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("This performance still goes on.").waitFor();
  await accessible(page);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await api("PATCH", "sessions/live", { reference_id: "" }); // which ends the performance
  await page.getByText("In progress. This page follows it.").waitFor({ state: "detached" });
  const report = await api("GET", `reports/${report_id}`);
  assert.equal(report.open, false);
  await eventually(async () => (await page.locator(".each tbody tr").count()) === report.repetitions.length, "a row a repetition");
  await page.getByRole("img", { name: `${Math.round(report.mean_score)} of 100` }).waitFor();
  for (const chart of [".performance", ".each"])
    await eventually(() => inkOf(page.locator(`${chart} canvas`)), `the chart of ${chart}`);

  for (const [name, file, told] of [
    ["Repetitions (CSV)", /^.+ \d{4}-\d\d-\d\d \d\d\.\d\d repetitions\.csv$/, (text) => text.trim().split("\n").length - 1 === report.repetitions.length],
    ["Timeline (CSV)", / timeline\.csv$/, (text) => text.startsWith("offset_s,score,state")],
    ["All of it (JSON)", / \d\d\.\d\d\.json$/, (text) => JSON.parse(text).report_id === report_id],
  ]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
    assert.match(download.suggestedFilename(), file);
    assert.ok(told(readFileSync(await download.path(), "utf8")), `what is in ${file}`);
  }

  await fits(page);
  await accessible(page);
  await picture(page, "report-375-light", true);
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByRole("button", { name: "한국어" }).click();
  await page.getByRole("heading", { name: "반복별 결과" }).waitFor();
  await fits(page);
  await accessible(page);
  await picture(page, "report-1920-dark", true);
  await page.evaluate(() => {
    const canvas = () => document.querySelector(".performance canvas");
    const drawn = (element, accent) => {
      const context = new OffscreenCanvas(element.width, element.height).getContext("2d");
      context.drawImage(element, 0, 0);
      const { data } = context.getImageData(0, 0, element.width, element.height);
      for (let i = 0; i < data.length; i += 4) if (accent.every((value, at) => data[i + at] === value) && data[i + 3] === 255) return true;
      return false;
    };
    const look = () => ({ light: drawn(canvas(), [27, 69, 216]), dark: drawn(canvas(), [143, 171, 255]) });
    window.looks = [look()];
    addEventListener("beforeprint", () => window.looks.push(look()));
    addEventListener("afterprint", () => setTimeout(() => window.looks.push(look())));
  });
  await page.pdf({ path: join(artefacts, "report.pdf") });
  const looks = await eventually(async () => {
    const seen = await page.evaluate(() => window.looks);
    return seen.length === 3 && seen;
  }, "the page was printed");
  const [onScreen, onPaper] = [{ light: false, dark: true }, { light: true, dark: false }];
  assert.deepEqual(looks, [onScreen, onPaper, onScreen], "the chart is light on paper");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.setViewportSize({ width: 718, height: 1047 }); // A4 less its margins
  assert.equal(await page.locator(".header").isVisible(), false, "paper has no buttons");
  await picture(page, "report-print", true);
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  await page.emulateMedia({ media: "screen" });
  await page.setViewportSize({ width: 1920, height: 1080 });

  await page.reload();
  await page.getByRole("heading", { name: "반복별 결과" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "운동 기록" }).waitFor();
  await picture(page, "history-1920-light");
  await page.goForward();
  await page.getByRole("button", { name: "삭제" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "삭제" }).click();
  await page.getByRole("heading", { name: "아직 기록이 없습니다" }).waitFor();
  assert.deepEqual((await api("GET", "reports")).reports, []);

  const refused = complaints.filter((complaint) => complaint.includes("409"));
  assert.equal(refused.length, 1, "the browser itself reports the refused deletion");
  complaints.splice(complaints.indexOf(refused[0]), 1);
});
