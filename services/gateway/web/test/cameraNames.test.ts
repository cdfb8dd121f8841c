import { expect, test } from "vitest";
import { freePlace } from "../src/state/cameraNames";

test.each([
  [[], "front"],
  [["front", "side"], "left"],
  [["left", "front"], "side"],
  [["front", "side", "left", "right", "back", "camera6"], "camera7"],
])("beside %j the next camera is called %s", (taken, name) => {
  expect(freePlace(taken)).toBe(name);
});
