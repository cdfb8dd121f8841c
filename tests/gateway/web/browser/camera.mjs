// Chromium as a camera, its fake device playing a real clip: it streams, draws its own skeleton, tells its latency,
// and appears on the main page for as long as it runs. A camera that sees nobody says so there.

import { accessible, assert, drive, eventually, fits, inkOf, options, picture } from "./drive.mjs";

const args = [
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  `--use-file-for-fake-video-capture=${options.clip}`,
];

/** In a page: becomes a second camera, whose pictures are grey. */
async function emptyRoom() {
  const canvas = new OffscreenCanvas(320, 240);
  const context = canvas.getContext("2d");
  context.fillStyle = "#888";
  context.fillRect(0, 0, 320, 240);
  const image = await (await canvas.convertToBlob({ type: "image/jpeg" })).arrayBuffer();
  const socket = new WebSocket(`ws://${location.host}/ws/v1/cameras/empty%20room?fps=5&instance=test`);
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  let number = 0;
  setInterval(() => {
    const frame = new DataView(new ArrayBuffer(16 + image.byteLength));
    frame.setUint8(0, 1);
    frame.setUint32(4, number++, true);
    frame.setFloat64(8, performance.now(), true);
    new Uint8Array(frame.buffer, 16).set(new Uint8Array(image));
    socket.send(frame);
  }, 200);
}

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
    await camera.evaluate(emptyRoom);
    const empty = page.locator(".tile", { hasText: "empty room" });
    await empty.getByText("Nobody in view").waitFor({ timeout: 60_000 });
    assert.equal(await tile.getByText("Nobody in view").count(), 0, "somebody is in the other one");
    await picture(page, "camera-on-page");

    await camera.getByRole("button", { name: "Stop" }).click();
    await tile.getByText("Disconnected").waitFor();
  },
  { args, permissions: ["camera"] },
);
