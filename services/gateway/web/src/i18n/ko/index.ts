import type { Text } from "../en";
import { access } from "./access";
import { compare } from "./compare";
import { history } from "./history";
import { library } from "./library";
import { live } from "./live";
import { problems } from "./problems";

export const ko: Record<Text, string> = {
  ...live,
  ...library,
  ...history,
  ...compare,
  ...access,
  ...problems,
};
