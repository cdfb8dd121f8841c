import { useState } from "preact/hooks";
import { useText } from "../i18n";
import { Icon } from "./Icon";

interface Props {
  /** What it is for, where the text in it does not say. */
  label?: string;
  /** Stands in it while nothing is chosen. */
  text?: string;
  video: File | null;
  onVideo: (file: File | undefined) => void;
}

/** Takes a video from the disk, chosen or dropped. */
export function VideoDrop({ label, text, video, onVideo }: Props) {
  const t = useText();
  const [over, setOver] = useState(false);
  return (
    <label
      class={`drop${over ? " drop-over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onVideo(event.dataTransfer?.files[0]);
      }}
    >
      <Icon name={video === null ? "upload" : "film"} />
      <span>
        {video === null
          ? (text ?? t("reference.drop"))
          : `${video.name} · ${(video.size / 1e6).toFixed(1)} MB`}
      </span>
      <input
        type="file"
        accept="video/*"
        aria-label={label}
        class="visually-hidden"
        onChange={(event) => onVideo(event.currentTarget.files?.[0])}
      />
    </label>
  );
}
