// The API as a page: every operation is listed, one can be tried out, and the content policy stops nothing of it.

import { assert, drive, picture } from "./drive.mjs";

await drive(async (open, complaints) => {
  const page = await open("/docs", { width: 1280, height: 1000 });
  const operations = page.locator(".opblock");
  await operations.first().waitFor();
  assert.ok((await operations.count()) > 30, "every operation is listed");
  await picture(page, "docs-1280-light");

  
  const health = page.locator(".opblock", { hasText: "/healthz" });
  await health.locator("button").first().click();
  await health.getByRole("button", { name: "Execute" }).click();
  await health.locator(".live-responses-table").getByText("200").first().waitFor();
  assert.deepEqual(complaints.splice(0), [], "nothing is loaded from elsewhere and no policy is broken");
});
