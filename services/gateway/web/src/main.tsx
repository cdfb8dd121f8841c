import { render } from "preact";
import { App } from "./components/App";
import { Door } from "./components/access/Door";
import { applyPreferences } from "./state/preferences";
import "./styles/base.css";
import "./styles/stage.css";
import "./styles/cards.css";
import "./styles/dialog.css";

applyPreferences();
const root = document.getElementById("page");
if (root !== null)
  render(
    <Door>
      <App />
    </Door>,
    root,
  );
