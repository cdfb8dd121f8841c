// Addresses of the gateway, relative to where the page is served (…/ui/), so that a gateway behind a prefix works.

// The script lies in …/ui/assets/.
const ROOT = import.meta.env.DEV
  ? new URL("/", location.href)
  : new URL(/* @vite-ignore */ "../../", import.meta.url);

/** An HTTP address of the gateway: `http("api", "v1", "cameras", id)`. Each part is one segment, encoded here. */
export function http(...segments: string[]): string {
  return new URL(segments.map(encodeURIComponent).join("/"), ROOT).href;
}

/** A WebSocket address of the gateway. */
export function socket(query: Record<string, string>, ...segments: string[]): string {
  const address = new URL(http(...segments));
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.search = new URLSearchParams(query).toString();
  return address.href;
}

// …/ui/ itself.
const PAGES = import.meta.env.DEV
  ? new URL("/", location.href)
  : new URL(/* @vite-ignore */ "../", import.meta.url);

/** The address of one of the page's views: `page("history/")`, `page("", {session: "live"})`. */
export function page(view: string, query: Record<string, string> = {}): string {
  const address = new URL(view, PAGES);
  address.search = new URLSearchParams(query).toString();
  return address.href;
}
