import { render } from "preact";
import { App } from "./components/App";
import { applyPreferences } from "./state/preferences";
import "./styles/base.css";
import "./styles/stage.css";
import "./styles/cards.css";
import "./styles/dialog.css";

applyPreferences();
const root = document.getElementById("page");
if (root !== null) render(<App />, root);
