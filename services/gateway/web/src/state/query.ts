// What the address says beyond the page: which report, which comparison. It can be bookmarked and sent.

import { useEffect, useState } from "preact/hooks";

const read = (name: string) => new URLSearchParams(location.search).get(name) ?? "";

/** A parameter of the address, and how to go to another value of it; empty: not there. */
export function useQuery(name: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => read(name));
  useEffect(() => {
    const follow = () => setValue(read(name));
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, [name]);
  const go = (next: string) => {
    history.pushState(null, "", withQuery(name, next));
    setValue(next);
    scrollTo(0, 0);
  };
  return [value, go];
}

/** This page's address with one parameter changed: links carry it, so that they open in a new tab too. */
export function withQuery(name: string, value: string): string {
  const address = new URL(location.href);
  if (value === "") address.searchParams.delete(name);
  else address.searchParams.set(name, value);
  return address.href;
}

/** Whether a click on a link asks for nothing but following it, here. */
export function plain(event: MouseEvent): boolean {
  return event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}
