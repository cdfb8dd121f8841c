import { render } from "preact";
import { Door } from "./components/access/Door";
import { HistoryPage } from "./components/history/HistoryPage";
import { applyPreferences } from "./state/preferences";
import "./styles/base.css";
import "./styles/cards.css";
import "./styles/dialog.css";
import "./styles/view.css";
import "./styles/history.css";

applyPreferences();
const root = document.getElementById("page");
if (root !== null)
  render(
    <Door>
      <HistoryPage />
    </Door>,
    root,
  );
