import type { problems as english } from "../en/problems";

export const problems: Record<keyof typeof english, string> = {
  "reason.REFERENCE_NOBODY_FOUND": "영상에서 사람을 찾지 못했거나 온몸이 보이지 않습니다.",
  "reason.REFERENCE_SEVERAL_PEOPLE": "영상에 여러 사람이 있습니다. 한 사람만 나오는 영상을 쓰세요.",
  "reason.REFERENCE_TOO_SHORT": "동작을 배우기에는 영상이 너무 짧습니다.",
  "reason.REFERENCE_UPSIDE_DOWN": "영상 속 사람이 거꾸로 있습니다. 영상을 먼저 돌려 주세요.",
  "reason.REFERENCE_NO_VIDEO": "읽을 수 있는 영상이 아닙니다. H.264로 된 MP4는 항상 됩니다.",
  "reason.REFERENCE_CUT_OFF": "파일이 손상되었거나 전송이 끊겼습니다. 다시 보내 주세요.",
  "reason.REFERENCE_TOO_LARGE": "영상이 너무 길거나 큽니다. 몇 번 반복하는 부분만 잘라 주세요.",
  "reason.REFERENCE_DIFFERENT_EXERCISE": "다른 동작의 영상입니다.",
  "reason.REFERENCE_UNUSABLE": "이 영상에서는 동작을 배우지 못했습니다.",
  "reason.REFERENCE_NOT_FOUND": "이 기준 동작은 더 이상 없습니다.",
  "reason.TOO_LARGE": "파일이 너무 큽니다.",
  "reason.EMPTY_FILE": "빈 파일입니다.",
  "reason.TOO_MANY_BUILDS": "다른 영상을 처리하고 있습니다. 끝난 뒤에 다시 해 주세요.",
  "reason.POSE_UNAVAILABLE": "사람을 찾는 서비스에 연결할 수 없습니다. 잠시 뒤에 다시 해 주세요.",
  "reason.BUILD_NOT_FOUND": "다른 곳에서 취소했거나 더 이상 보관되지 않습니다.",
  "reason.COMPARISON_NOT_FOUND": "다른 곳에서 취소했거나 더 이상 보관되지 않습니다.",
  "problem.away": "KOMI의 일부에 연결할 수 없습니다. 잠시 뒤에 다시 해 주세요.",
};
