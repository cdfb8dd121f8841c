import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

// Every address is relative, so that the page works wherever the gateway is mounted. Nothing is inlined: the
// content security policy allows no inline script or style, and images are files.
export default defineConfig({
  base: "./",
  plugins: [preact({ prefreshEnabled: false })],
  build: {
    outDir: "../static",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        page: "index.html",
        camera: "camera/index.html",
        history: "history/index.html",
        compare: "compare/index.html",
      },
    },
  },
  // `npm run dev` beside a running mesh: the page from here, all else from the gateway.
  server: { proxy: { "/api": "http://127.0.0.1:8000", "/ws": { target: "ws://127.0.0.1:8000", ws: true } } },
});
