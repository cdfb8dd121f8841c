// The library of references: what sessions are compared with.

import { call } from "./call";
import type { Build, Reference } from "./documents";
import { api } from "./rest";

const of = (id: string, version: number, ...what: string[]) =>
  `${api("references", id, ...what)}${version > 0 ? `?version=${version}` : ""}`;

export const references = async (): Promise<Reference[]> =>
  (await call<{ references: Reference[] }>("GET", `${api("references")}?limit=200`)).references;

/** With curves and ghost. Version 0: the active one. */
export const reference = (id: string, version: number): Promise<Reference> => call("GET", of(id, version));

export const deleteReference = (id: string): Promise<void> => call("DELETE", api("references", id));

/** Newest first. */
export const versions = async (id: string): Promise<Reference[]> =>
  (await call<{ references: Reference[] }>("GET", api("references", id, "versions"))).references;

export const activate = (id: string, version: number): Promise<Reference> =>
  call("POST", api("references", id, "activate"), { version });

/** Pictures of the movement, side by side. */
export const stripAddress = (id: string, version: number): string => of(id, version, "strip.jpg");

export const exportAddress = (id: string, version: number): string => of(id, version, "export");

export function importReference(file: File): Promise<Reference> {
  const form = new FormData();
  form.append("file", file);
  return call("POST", api("references", "import"), form);
}

export const build = (id: string): Promise<Build> => call("GET", api("references", "builds", id));

/** Ends one on its way; what it has stored stays. */
export const cancelBuild = (id: string): Promise<void> => call("DELETE", api("references", "builds", id));

export const buildEvents = (id: string): string => api("references", "builds", id, "events");
