import { render } from "preact";
import { Door } from "./components/access/Door";
import { ComparePage } from "./components/compare/ComparePage";
import { applyPreferences } from "./state/preferences";
import "./styles/base.css";
import "./styles/cards.css";
import "./styles/dialog.css";
import "./styles/view.css";
import "./styles/compare.css";

applyPreferences();
const root = document.getElementById("page");
if (root !== null)
  render(
    <Door>
      <ComparePage />
    </Door>,
    root,
  );
