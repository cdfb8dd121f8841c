// Beyond loopback: the page comes without a token and asks for it, says so of a wrong one, hands out addresses to an
// admin, and tells who only looks on what they may not do.

import { accessible, assert, drive, eventually, fits, options, picture } from "./drive.mjs";

const inside = { name: "Connect your first camera" };

await drive(
  async (open, complaints) => {
    const page = await open("/ui/", { width: 375, height: 812 });
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
    await page.goto(page.url() + "?token=neither%20this");
    await page.getByText("This token is not one of this KOMI's.").waitFor({ timeout: 60_000 });
    assert.ok(!page.url().includes("neither"), "a wrong token does not stay in sight");
    await page.getByLabel("Token", { exact: true }).fill(options.token);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("heading", inside).waitFor({ timeout: 60_000 });
    assert.ok(!page.url().includes("token"), "nor does a right one");

    await page.getByRole("button", { name: "Add a camera" }).first().click();
    const dialog = page.getByRole("dialog");
    const code = dialog.getByRole("img", { name: /QR code/ });
    await eventually(() => code.evaluate((image) => image.naturalWidth > 100), "the code");
    await dialog.getByText(/\/ui\/camera\/\?session=live&token=/).first().waitFor();
    await dialog.getByText("plain HTTP").waitFor();
    await dialog.getByRole("heading", { name: "Share" }).waitFor();
    await accessible(page);
    await picture(page, "add-camera-1920-dark");
    await page.setViewportSize({ width: 375, height: 812 });
    await fits(page);
    await picture(page, "add-camera-375-dark");
    const shared = await dialog.locator("code", { hasText: /\/ui\/\?session=live&token=/ }).innerText();
    await dialog.getByRole("button", { name: "Close" }).click();

    await page.context().clearCookies();
    await page.getByRole("button", { name: "Choose", exact: true }).click();
    await page.getByRole("heading", { name: "This KOMI asks for a token" }).waitFor({ timeout: 60_000 });

    await page.goto(shared);
    await page.getByRole("heading", inside).waitFor({ timeout: 60_000 });
    await page.getByText("View only").waitFor();
    await page.getByRole("button", { name: "Session settings" }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("Your token allows looking on only. Ask for an admin's address to change anything.").waitFor();
    await accessible(page);
    await picture(page, "view-only-375-dark");
    complaints.length = 0; // the browser itself reports every 401 and 403, and 503 of the services that are away here
  },
  { args: ["--host-resolver-rules=MAP komi 127.0.0.1"] },
);
