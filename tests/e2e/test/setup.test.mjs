import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { send, startApplication } from "../support/application.mjs";
import { launch, live, openPage, textIs } from "../support/browser.mjs";
import { attempt, startCollector } from "../support/collector.mjs";

describe("the setup page", () => {
  let collector, browser;
  before(async () => {
    [collector, browser] = await Promise.all([startCollector(), launch()]);
  });
  after(async () => {
    await browser?.close();
    await collector?.close();
  });

  test("gives everything to paste, and turns green by itself at the first event of a real application", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/setup`);
    await page.getByText("Waiting for the first event.").waitFor();
    await live(page);

    const code = (name) => page.getByRole("region", { name, exact: true });
    await textIs(code("API key"), collector.key);
    await textIs(code("Environment"), `SUREHOOK_API_KEY=${collector.key}\nSUREHOOK_ENDPOINT=${collector.url}\nCLERK_WEBHOOK_SIGNING_SECRET=whsec_…`);

    const application = await startApplication(collector);
    try {
      await send(application, ["--event", "user.created"]);
      await page.locator('.arrival[data-arrived="true"]').waitFor();
      await page.getByText("Events are arriving.").waitFor();
      await page.getByText("1 attempt is stored").waitFor();
    } finally {
      await application.close();
    }
    assert.deepEqual(faults, []);
    await close();
  });

  test("shows the snippet of each framework, by mouse and by arrow keys, and remembers it in the address", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/setup`);
    const names = { FastAPI: "surehook.fastapi", Flask: "surehook.flask", Express: "surehook/express", "Next.js": "surehook/nextjs" };
    const panel = page.getByRole("tabpanel");
    for (const [label, module] of Object.entries(names)) {
      await page.getByRole("tab", { name: label }).click();
      await panel.getByText(module).first().waitFor();
    }
    await page.getByRole("tab", { name: "Next.js" }).press("ArrowRight");
    await panel.getByText("surehook.fastapi").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "FastAPI");
    await page.keyboard.press("End");
    await page.waitForURL("**/setup?framework=nextjs");
    await page.reload();
    await panel.getByText("surehook/nextjs").first().waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("copies the key", async () => {
    const { page, faults, close } = await openPage(browser, { permissions: ["clipboard-read", "clipboard-write"] });
    await page.goto(`${collector.url}/setup`);
    await page.getByRole("button", { name: "Copy API key" }).click();
    await textIs(page.getByRole("button", { name: "Copy API key" }), "Copied");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), collector.key);
    assert.deepEqual(faults, []);
    await close();
  });
});

describe("the setup page of a server", () => {
  let collector, browser;
  before(async () => {
    [collector, browser] = await Promise.all([startCollector({ command: "serve" }), launch()]);
  });
  after(async () => {
    await browser?.close();
    await collector?.close();
  });

  test("asks for the token, refuses a wrong one, and lets the right one in", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/setup`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".problem:not(:empty)").waitFor();
    const token = new URLSearchParams(new URL(collector.dashboard).hash.slice(1)).get("token");
    await page.getByLabel("Token").fill(token);
    await page.getByLabel("Token").press("Enter");
    await page.getByText("Waiting for the first event.").waitFor();
    await live(page);
    // The browser itself reports the 401s.
    assert.deepEqual(faults.filter((fault) => !fault.includes("401")), []);
    await close();
  });

  test("takes the token of the printed link out of the address; makes, shows once and revokes keys", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.dashboard);
    await page.getByRole("link", { name: "Set up your application" }).waitFor();
    assert.equal(page.url(), `${collector.url}/`);

    await page.getByRole("link", { name: "Set up your application" }).click();
    await page.getByLabel("Name of a new key").fill("production");
    await page.getByRole("button", { name: "Create key" }).click();
    const key = (await page.getByRole("region", { name: "New API key" }).textContent()).trim();
    assert.match(key, /^shk_/);
    await page.getByRole("region", { name: "Environment" }).getByText(key).waitFor();
    collector.key = key;
    await collector.post([attempt()]);
    await page.getByText("Events are arriving.").waitFor();

    await page.reload();
    const row = page.getByRole("row", { name: /production/ });
    await row.waitFor();
    assert.equal(await page.getByText(key).count(), 0, "the key was shown a second time");
    await row.getByRole("button", { name: "Revoke production" }).click();
    await row.getByRole("button", { name: "Really revoke production" }).click();
    await row.waitFor({ state: "detached" });
    await assert.rejects(collector.post([attempt()]), /403/);
    assert.deepEqual(faults, []);
    await close();
  });
});
