// The REST API of cameras, sessions and access, typed.

import { http } from "./address";
import { ask, call } from "./call";
import type { Access, Camera, Session, SessionChange, Summary } from "./documents";

export const api = (...segments: string[]) => http("api", "v1", ...segments);

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

export const frameAddress = (camera: string): string => api("cameras", camera, "frame.jpg");

export const streamAddress = (camera: string): string => api("cameras", camera, "stream.mjpg");

/** What this browser's token allows. */
export const access = (): Promise<Access> => call("GET", api("access"));

/** What `token` would allow; a camera's is refused with 403, since it may not ask. */
export const tryToken = (token: string): Promise<Access> =>
  call("GET", api("access"), undefined, { Authorization: `Bearer ${token}` });

/** An address on this gateway that other devices can open, and its picture. */
export interface Qr {
  picture: Blob;
  /** Empty where the gateway did not say. */
  address: string;
}

export async function qr(path: string): Promise<Qr> {
  const answer = await ask("GET", `${api("qr.svg")}?${new URLSearchParams({ path })}`);
  return { picture: await answer.blob(), address: answer.headers.get("Komi-Address") ?? "" };
}
