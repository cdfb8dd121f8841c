import { live } from "./live";

export const en = { ...live } as const;

export type Text = keyof typeof en;
