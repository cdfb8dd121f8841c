import { access } from "./access";
import { compare } from "./compare";
import { history } from "./history";
import { library } from "./library";
import { live } from "./live";

export const en = { ...live, ...library, ...history, ...compare, ...access } as const;

export type Text = keyof typeof en;
