// Chromium as a camera, its fake device playing a real clip: it streams, draws its own skeleton, tells its latency,
// and appears on the main page for as long as it runs.

import { accessible, drive, eventually, fits, inkOf, options, picture } from "./drive.mjs";

const args = [
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  `--use-file-for-fake-video-capture=${options.clip}`,
];

await drive(
  async (open) => {
    const camera = await open("/ui/camera?session=live", { width: 375, height: 812 });
    await fits(camera);
    await accessible(camera);
    await camera.getByLabel("Camera name").fill("문 옆/phone");
    await camera.getByRole("button", { name: "Start camera" }).click();
    await camera.getByText("Streaming", { exact: true }).waitFor();
    await eventually(() => inkOf(camera.locator("canvas.overlay")), "its own skeleton");
    await eventually(async () => /\d+ ms/.test(await camera.locator(".own-state").innerText()), "its latency");
    await accessible(camera);
    await picture(camera, "camera-375");

    const page = await open("/ui/", { width: 1280, height: 800 });
    const tile = page.locator(".tile", { hasText: "문 옆/phone" });
    await tile.waitFor();
    await eventually(() => inkOf(tile.locator("canvas.picture")), "its picture on the main page");
    await eventually(() => inkOf(tile.locator("canvas.overlay")), "its skeleton on the main page");
    await picture(page, "camera-on-page");

    await camera.getByRole("button", { name: "Stop" }).click();
    await tile.getByText("Disconnected").waitFor();
  },
  { args, permissions: ["camera"] },
);
