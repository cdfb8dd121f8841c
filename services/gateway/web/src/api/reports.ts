// Reports of performances.

import { call } from "./call";
import type { Cue, Phase, Repetition, SubScores } from "./documents";
import type { TrackingState } from "./messages";
import { api } from "./rest";

/** A report as lists have it. */
export interface ShortReport {
  report_id: string;
  session_id: string;
  reference_id: string;
  reference_version: number;
  reference_name: string;
  exercise: string;
  start_us: number;
  end_us: number;
  /** The performance goes on. */
  open: boolean;
  /** Time spent moving or holding. */
  active_s: number;
  repetition_count: number;
  mean_score: number | null;
  best_score: number | null;
  sub_scores: SubScores;
  /** Points a repetition; null: too few. */
  trend: number | null;
  /** How far the last third falls short of the first, 0 to 1; null: too few. */
  fatigue: number | null;
}

export interface TimelinePoint {
  offset_s: number;
  score: number | null;
  state: TrackingState;
}

export interface TopError {
  joint: string;
  phase: Phase | null;
  degrees: number | null;
  /** In tolerances. */
  severity: number | null;
  /** How many it came up in. */
  repetitions: number;
}

export type GivenCue = { offset_s: number } & Cue;

export interface Report extends ShortReport {
  repetitions: Repetition[];
  timeline: TimelinePoint[];
  top_errors: TopError[];
  cues: GivenCue[];
}

export interface ReportPage {
  reports: ShortReport[];
  next_cursor: string | null;
}

export function reports(cursor: string | null, limit: number): Promise<ReportPage> {
  const query = new URLSearchParams({ limit: String(limit), ...(cursor === null ? {} : { cursor }) });
  return call("GET", `${api("reports")}?${query}`);
}

export const report = (id: string): Promise<Report> => call("GET", api("reports", id));

export const deleteReport = (id: string): Promise<void> => call("DELETE", api("reports", id));

export const reportAddress = (id: string, ...file: string[]): string => api("reports", id, ...file);
