// The device's cameras, and keeping the screen on while one of them streams.

export type Refusal = "insecure" | "denied" | "missing" | "busy";

export class CameraRefused extends Error {
  constructor(readonly why: Refusal) {
    super(why);
  }
}

/** Which camera: `user` (front), `environment` (back), or a device's id. */
export type Choice = string;

export async function openCamera(choice: Choice): Promise<MediaStream> {
  const devices: MediaDevices | undefined = navigator.mediaDevices; // missing outside secure contexts
  if (devices === undefined) throw new CameraRefused("insecure");
  const which: MediaTrackConstraints =
    choice === "user" || choice === "environment"
      ? { facingMode: { ideal: choice } }
      : { deviceId: { exact: choice } };
  try {
    return await devices.getUserMedia({
      audio: false,
      video: { ...which, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
    });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError" || name === "SecurityError") throw new CameraRefused("denied");
    if (name === "NotReadableError" || name === "AbortError") throw new CameraRefused("busy");
    throw new CameraRefused("missing");
  }
}

export interface Device {
  choice: Choice;
  label: string;
}

/** Cameras to choose from; their names are known once one was allowed. */
export async function listCameras(): Promise<Device[]> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all
    .filter(({ kind, deviceId }) => kind === "videoinput" && deviceId !== "")
    .map(({ deviceId, label }, i) => ({ choice: deviceId, label: label || `${i + 1}` }));
}

/** Keeps the screen on until the returned function is called; the browser lets go whenever the page is hidden. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let released = false;
  const ask = async () => {
    if (released || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (released) void lock.release();
    } catch {
      // A battery saver may forbid it: the stream goes on until the screen turns off.
    }
  };
  const again = () => void ask();
  document.addEventListener("visibilitychange", again);
  void ask();
  return () => {
    released = true;
    document.removeEventListener("visibilitychange", again);
    void lock?.release();
  };
}
