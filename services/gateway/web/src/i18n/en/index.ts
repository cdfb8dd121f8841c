import { access } from "./access";
import { compare } from "./compare";
import { history } from "./history";
import { library } from "./library";
import { live } from "./live";
import { problems } from "./problems";

export const en = { ...live, ...library, ...history, ...compare, ...access, ...problems } as const;

export type Text = keyof typeof en;
