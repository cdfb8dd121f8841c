// What a new camera is called: by where it stands, and like no other.

const PLACES = ["front", "side", "left", "right", "back"];

/** The first of the usual places that is not taken; beyond them, `camera6` and so on. */
export function freePlace(taken: readonly string[]): string {
  const free = (name: string) => !taken.includes(name);
  let number = PLACES.length + 1;
  while (!free(`camera${number}`)) number++;
  return PLACES.find(free) ?? `camera${number}`;
}
