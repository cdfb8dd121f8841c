// Two devices that are cameras under a camera's token, neither of which chose a name: the second is called otherwise.

import { assert, drive, options } from "./drive.mjs";

await drive(
  async (open, complaints) => {
    for (const name of ["computer", "computer 2"]) {
      const page = await open(`/ui/camera/?token=${options.token}`, { width: 375, height: 812 });
      await page.getByRole("button", { name: "Start camera" }).click();
      await page.getByText("Streaming", { exact: true }).waitFor({ timeout: 60_000 });
      assert.equal(await page.getByLabel("Camera name").inputValue(), name);
    }
    // The browser itself reports the handshakes that were refused, and that this token may not ask why.
    assert.deepEqual(complaints.splice(0).filter((each) => !/40[39]/.test(each)), []);
  },
  { args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"], permissions: ["camera"] },
);
