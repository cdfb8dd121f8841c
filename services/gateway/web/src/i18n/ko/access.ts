import type { access as english } from "../en/access";

export const access: Record<keyof typeof english, string> = {
  "token.title": "토큰이 필요합니다",
  "token.body":
    "토큰은 게이트웨이를 시작한 곳에 출력된 페이지 주소에 들어 있습니다. KOMI를 운영하는 사람에게 보기용 주소나 토큰을 받을 수도 있습니다.",
  "token.label": "토큰",
  "token.open": "열기",
  "token.wrong": "이 KOMI의 토큰이 아닙니다. 그사이 새로 시작되었을 수 있습니다.",
  "token.wait": "잘못된 토큰이 너무 많았습니다. {s}초 뒤에 다시 시도해 주세요.",
  "token.camera": "카메라 전용 토큰입니다",
  "token.camera.body":
    "이 토큰으로는 이 기기를 카메라로만 쓸 수 있습니다. 화면을 보려면 다른 토큰을 입력하세요.",
  "problem.scope": "보기만 할 수 있는 토큰입니다. 바꾸려면 관리자 주소가 필요합니다.",
  "problem.busy": "요청이 너무 많습니다. {s}초 뒤에 다시 시도해 주세요.",
  "problem.held": "요청이 한꺼번에 너무 많았습니다. {s}초 뒤에 자동으로 이어집니다.",
  "access.view": "보기 전용",

  "add.open": "카메라 추가",
  "add.phone": "휴대폰을 카메라로",
  "add.phone.body": "휴대폰 카메라로 찍으면 카메라 페이지가 열립니다.",
  "add.phone.qr": "{address} 주소의 QR 코드",
  "add.phone.loopback": "아직 휴대폰에서 열 수 없습니다. 이 KOMI는 이 컴퓨터에서만 응답합니다.",
  "add.phone.loopback.body":
    "데모를 ‘make demo PHONE=1’로 시작하면 휴대폰으로 여는 QR 코드가 나타납니다. 게이트웨이를 직접 시작할 때는 --host 0.0.0.0과 --tls-certificate를 주세요.",
  "add.phone.insecure":
    "이 주소는 HTTP입니다. 휴대폰 브라우저는 HTTPS일 때만 카메라를 허용하므로 페이지는 열려도 카메라는 켜지지 않습니다. 게이트웨이에 인증서(--tls-certificate)를 주거나 앞에 HTTPS 프록시를 두세요.",
  "add.phone.away": "지금은 코드를 만들 수 없습니다.",
  "add.device": "이 기기를 카메라로",
  "add.program": "명령줄에서",
  "share.title": "공유",
  "share.body": "아래 주소를 여는 사람은 토큰을 묻지 않고 들어옵니다.",
  "share.view": "보기용",
  "share.camera": "카메라용",
};
