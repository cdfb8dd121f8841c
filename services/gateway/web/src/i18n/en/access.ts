/** Tokens, phones and what is shared. */
export const access = {
  "token.title": "This KOMI asks for a token",
  "token.body":
    "It was printed where the gateway was started, as part of the page's address. Whoever runs this KOMI can also give you an address or a token to look on.",
  "token.label": "Token",
  "token.open": "Open",
  "token.wrong": "This token is not one of this KOMI's. It may have been started anew since.",
  "token.wait": "Too many wrong tokens. Try again in {s} s.",
  "token.camera": "This token is for cameras only",
  "token.camera.body":
    "With it this device can be a camera, and nothing else. To look on, enter another token.",
  "problem.scope": "Your token allows looking on only. Ask for an admin's address to change anything.",
  "problem.busy": "Too many requests. Try again in {s} s.",
  "problem.held": "Too many requests at once. Going on by itself in {s} s.",
  "access.view": "View only",

  "add.open": "Add a camera",
  "add.phone": "A phone as a camera",
  "add.phone.body": "Scan this with the phone's camera. It opens the camera page there.",
  "add.phone.qr": "QR code of {address}",
  "add.phone.loopback": "Phones cannot reach this KOMI yet: it answers on this computer only.",
  "add.phone.loopback.body":
    "Start the demo by “make demo PHONE=1”: it shows a code that phones open. A gateway of your own lets them in with --host 0.0.0.0 and --tls-certificate.",
  "add.phone.insecure":
    "This address is plain HTTP. Phones' browsers give a page the camera only over HTTPS, so the page will open there but the camera will stay off. Give the gateway a certificate (--tls-certificate), or put a proxy with HTTPS before it.",
  "add.phone.away": "The code cannot be made right now.",
  "add.device": "This device as a camera",
  "add.program": "From the command line",
  "share.title": "Share",
  "share.body": "Whoever opens one of these addresses gets in without being asked for a token.",
  "share.view": "To look on",
  "share.camera": "To be a camera",
} as const;
