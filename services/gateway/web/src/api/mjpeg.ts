// Motion-JPEG read by fetch: unlike an <img>, it can be stopped, says when it breaks, and keeps each part's headers.

export interface Part {
  headers: Map<string, string>;
  jpeg: Uint8Array<ArrayBuffer>;
}

const MOST_HEADER_BYTES = 4096;
const MOST_IMAGE_BYTES = 32 << 20;
const latin1 = new TextDecoder("latin1");

/** Cuts a multipart stream into its parts. Parts must carry Content-Length, as the gateway's do. */
export class PartCutter {
  #kept = new Uint8Array(1 << 16);
  #length = 0;

  /** Takes the next bytes; gives back the newest part they complete, if any: an overtaken image is not worth decoding. */
  push(bytes: Uint8Array): Part | null {
    this.#append(bytes);
    let newest: Part | null = null;
    for (let part = this.#cut(); part !== null; part = this.#cut()) newest = part;
    return newest;
  }

  #cut(): Part | null {
    const kept = this.#kept.subarray(0, this.#length);
    const end = indexOfBlankLine(kept);
    if (end < 0) {
      if (this.#length > MOST_HEADER_BYTES) throw new Error("no part header in the image stream");
      return null;
    }
    const headers = parseHeaders(latin1.decode(kept.subarray(0, end)));
    const length = Number(headers.get("content-length"));
    if (!(length > 0 && length <= MOST_IMAGE_BYTES)) throw new Error("an image without a length");
    const from = end + 4;
    if (this.#length < from + length) return null;
    const jpeg = kept.slice(from, from + length);
    this.#kept.copyWithin(0, from + length, this.#length);
    this.#length -= from + length;
    return { headers, jpeg };
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#kept.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#kept.length));
      larger.set(this.#kept.subarray(0, this.#length));
      this.#kept = larger;
    }
    this.#kept.set(bytes, this.#length);
    this.#length = length;
  }
}

function indexOfBlankLine(bytes: Uint8Array): number {
  // The CRLF that ends the part before may stand first: a blank line counts only after the boundary.
  for (let at = bytes.indexOf(13, 2); at >= 0; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
    if (at > MOST_HEADER_BYTES) return -1;
  }
  return -1;
}

function parseHeaders(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** Reads a stream until it ends, breaks or is aborted. */
export async function readMjpeg(
  address: string,
  onPart: (part: Part) => void,
  signal: AbortSignal,
): Promise<void> {
  const answer = await fetch(address, { signal, cache: "no-store" });
  if (!answer.ok || answer.body === null) throw new Error(`HTTP ${answer.status}`);
  const cutter = new PartCutter();
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const part = cutter.push(value);
    if (part !== null) onPart(part);
  }
}
