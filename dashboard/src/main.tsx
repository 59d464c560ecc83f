import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/tables.css";
import "./styles/parts.css";
import "./styles/message.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { startRouter } from "./router.ts";
import { signInByLink, startSharedState } from "./state.ts";

const root = document.getElementById("app");
if (!root) throw new Error("the page has no #app");
await signInByLink();
startRouter();
startSharedState();
render(<App />, root);
