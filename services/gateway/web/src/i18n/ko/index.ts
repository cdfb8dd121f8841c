import type { Text } from "../en";
import { live } from "./live";

export const ko: Record<Text, string> = { ...live };
