/** Why the gateway refused, by the reason in its problem; for what is not here its own words are shown. */
export const problems = {
  "reason.REFERENCE_NOBODY_FOUND": "Nobody was found in the video, or their whole body is not in view.",
  "reason.REFERENCE_SEVERAL_PEOPLE":
    "There is more than one person in the video. Use one with a single person.",
  "reason.REFERENCE_TOO_SHORT": "The video is too short to learn a movement from.",
  "reason.REFERENCE_UPSIDE_DOWN": "The person in the video is upside down. Turn the video first.",
  "reason.REFERENCE_NO_VIDEO": "This is no video that can be read. MP4 with H.264 always works.",
  "reason.REFERENCE_CUT_OFF": "The file is damaged or its upload broke off. Send it again.",
  "reason.REFERENCE_TOO_LARGE": "The video is too long or too large. Cut it to a few repetitions.",
  "reason.REFERENCE_DIFFERENT_EXERCISE": "The video shows another movement.",
  "reason.REFERENCE_UNUSABLE": "No movement could be learnt from the video.",
  "reason.REFERENCE_NOT_FOUND": "This reference no longer exists.",
  "reason.TOO_LARGE": "The file is too large.",
  "reason.EMPTY_FILE": "The file is empty.",
  "reason.TOO_MANY_BUILDS": "Other videos are being worked on. Try again when they are done.",
  "reason.POSE_UNAVAILABLE": "The service that finds people in pictures is away. Try again in a moment.",
  "reason.BUILD_NOT_FOUND": "This was cancelled elsewhere, or is no longer kept.",
  "reason.COMPARISON_NOT_FOUND": "This was cancelled elsewhere, or is no longer kept.",
  "problem.away": "A part of KOMI is away. Try again in a moment.",
} as const;
