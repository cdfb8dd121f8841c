// Beyond loopback: the page opens with a token, asks for one when its own no longer opens, and says so of a wrong one.

import { accessible, drive, fits, options, picture } from "./drive.mjs";

await drive(async (open, complaints) => {
  const page = await open(`/ui/?token=${encodeURIComponent(options.token)}`, { width: 375, height: 812 });
  await page.getByRole("heading", { name: "Connect your first camera" }).waitFor({ timeout: 60_000 });

  await page.context().clearCookies();
  await page.getByRole("button", { name: "Choose", exact: true }).click();
  await page.getByRole("heading", { name: "This KOMI asks for a token" }).waitFor({ timeout: 60_000 });
  await fits(page);
  await accessible(page);
  await picture(page, "token-375-light");
  await page.setViewportSize({ width: 1920, height: 1080 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByRole("button", { name: "한국어" }).click();
  await page.getByRole("heading", { name: "토큰이 필요합니다" }).waitFor();
  await accessible(page);
  await picture(page, "token-1920-dark");
  await page.getByRole("button", { name: "English" }).click();

  await page.getByLabel("Token", { exact: true }).fill("not the one");
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByText("This token is not one of this KOMI's.").waitFor({ timeout: 60_000 });
  await page.getByLabel("Token", { exact: true }).fill(options.token);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { name: "Connect your first camera" }).waitFor({ timeout: 60_000 });
  complaints.length = 0; // the browser itself reports every 401, and 503 of the services that are away here
});
