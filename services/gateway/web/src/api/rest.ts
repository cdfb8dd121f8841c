// The REST API, typed. Whatever goes wrong is a Problem, with a sentence for people.

import { http } from "./address";
import type { Build, Camera, ProblemDocument, Reference, Session, SessionChange, Summary } from "./documents";

/** The gateway refused (status, reason and detail are its own) or could not be reached (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    detail: string,
  ) {
    super(detail);
    this.name = "Problem";
  }

  static of(document: Partial<ProblemDocument> | null, status: number): Problem {
    return new Problem(status, document?.reason ?? "UNKNOWN", document?.detail ?? `HTTP ${status}`);
  }
}

async function call<T>(method: string, address: string, body?: unknown): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(address, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
  } catch {
    throw new Problem(0, "UNREACHABLE", "");
  }
  const document: unknown = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw Problem.of(document as Partial<ProblemDocument> | null, answer.status);
  return document as T;
}

const api = (...segments: string[]) => http("api", "v1", ...segments);

export const cameras = async (): Promise<Camera[]> =>
  (await call<{ cameras: Camera[] }>("GET", api("cameras"))).cameras;

export const sessions = async (): Promise<Session[]> =>
  (await call<{ sessions: Session[] }>("GET", api("sessions"))).sessions;

export const session = (id: string): Promise<Session> => call("GET", api("sessions", id));

export const changeSession = (id: string, change: SessionChange): Promise<Session> =>
  call("PATCH", api("sessions", id), change);

export const startSession = (settings: SessionChange & { session_id?: string }): Promise<Session> =>
  call("POST", api("sessions"), settings);

export const endSession = (id: string): Promise<Session> => call("POST", api("sessions", id, "end"));

export const summary = (id: string): Promise<Summary> => call("GET", api("sessions", id, "summary"));

export const references = async (): Promise<Reference[]> =>
  (await call<{ references: Reference[] }>("GET", `${api("references")}?limit=200`)).references;

/** With curves and ghost. Version 0: the active one. */
export const reference = (id: string, version: number): Promise<Reference> =>
  call("GET", `${api("references", id)}${version > 0 ? `?version=${version}` : ""}`);

export const deleteReference = (id: string): Promise<void> => call("DELETE", api("references", id));

export const build = (id: string): Promise<Build> => call("GET", api("references", "builds", id));

export const buildEvents = (id: string): string => api("references", "builds", id, "events");

export const frameAddress = (camera: string): string => api("cameras", camera, "frame.jpg");

export const streamAddress = (camera: string): string => api("cameras", camera, "stream.mjpg");
