import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

/** Debian's Chromium, or the one that `CHROMIUM` names. */
export async function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(`there is no Chromium at ${executablePath}: install it (apt-get install chromium) or set CHROMIUM to its path`);
  }
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A page, and all that went wrong on it: errors on the console, broken rules of the content policy, dialogs, failed calls. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.exposeFunction("reportViolation", (text) => faults.push(`content policy: ${text}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      globalThis.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return { page, faults, close: () => context.close() };
}

/** Waits until the page says that it is live. */
export async function live(page) {
  await page.locator('.pill[data-state="live"]').waitFor();
}

/** Waits until the text of an element is what it should be. */
export async function textIs(locator, expected) {
  const end = performance.now() + 15_000;
  let text;
  do {
    text = (await locator.first().textContent({ timeout: 15_000 }))?.trim();
    if (text === expected) return;
    await locator.page().evaluate(() => new Promise(requestAnimationFrame));
  } while (performance.now() < end);
  throw new Error(`expected ${JSON.stringify(expected)}, but the page says ${JSON.stringify(text)}`);
}
