import { render } from "preact";
import { Door } from "./components/access/Door";
import { CameraPage } from "./components/CameraPage";
import { applyPreferences } from "./state/preferences";
import "./styles/base.css";
import "./styles/dialog.css";
import "./styles/camera.css";

applyPreferences();
const root = document.getElementById("page");
if (root !== null)
  render(
    <Door camera>
      <CameraPage />
    </Door>,
    root,
  );
