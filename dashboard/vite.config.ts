import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    // The first browsers with light-dark(); older ones would get a copy of every colour.
    target: ["chrome123", "firefox121", "safari17.5"],
    // The collector's content policy allows no data: URLs.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
  },
  // `npm run dev` beside a collector on its default port.
  server: { proxy: { "/api": "http://127.0.0.1:4600" } },
  test: { include: ["test/**/*.test.ts", "test/**/*.test.tsx"] },
});
