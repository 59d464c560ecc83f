import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { send, startApplication } from "../support/application.mjs";
import { launch, live, openPage, textIs } from "../support/browser.mjs";
import { attempt, startCollector } from "../support/collector.mjs";

describe("the overview of a real application", () => {
  let collector, application, browser;
  before(async () => {
    collector = await startCollector();
    [application, browser] = await Promise.all([startApplication(collector), launch()]);
  });
  after(async () => {
    await application?.close();
    await browser?.close();
    await collector?.close();
  });

  const cell = (page, type, name) => page.locator(`tr[data-event-type="${type}"] [data-cell="${name}"]`);
  const figure = (page, name) => page.locator(`[data-figure="${name}"] dd`);

  test("points to the setup while nothing has arrived, then fills by itself", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.url);
    await page.getByRole("link", { name: "Set up your application" }).waitFor();
    await live(page);
    await page.evaluate(() => { globalThis.sameDocument = true; });

    const sent = await send(application, ["--event", "user.created,session.created", "--count", "6", "--duplicate", "--bad-signature=2", "--stale"]);
    assert.equal(sent.status, 0);
    assert.equal(sent.requests.length, 15);

    await textIs(figure(page, "attempts"), "15");
    await textIs(figure(page, "success"), "100%");
    await textIs(figure(page, "duplicate"), "6");
    await textIs(figure(page, "rejected"), "3");
    await textIs(cell(page, "user.created", "attempts"), "6");
    await textIs(cell(page, "user.created", "success"), "100%");
    await textIs(cell(page, "session.created", "duplicate"), "3");
    assert.match(await cell(page, "user.created", "p50").textContent(), /^\d.* (µs|ms|s)$/);
    await textIs(page.locator('[data-code="signature_mismatch"] .refused-count'), "2");
    await textIs(page.locator('[data-code="timestamp_too_old"] .refused-count'), "1");
    await page.getByText("No signature matches the body").waitFor();
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true, "the page was loaded again");
    assert.deepEqual(faults, []);
    await close();
  });

  test("says which event type is failing, and shows the same figures in the table beside the chart", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.url);
    await live(page);
    await send(application, ["--event", "organization.created", "--count", "3"]);
    await send(application, ["--event", "email.created"]);

    const row = page.locator('tr[data-event-type="organization.created"]');
    await row.getByText("Failing").waitFor();
    await textIs(cell(page, "organization.created", "failed"), "3");
    await textIs(cell(page, "email.created", "silent_drop"), "1");
    await page.getByText(/is failing: \d of \d attempts? did not do the work\. 1 other event type is failing too\./).waitFor();

    await textIs(figure(page, "attempts"), "19");
    await page.getByText("The same as a table").click();
    const rows = await page.locator(".twin tbody tr").allInnerTexts();
    const sum = (column) => rows.reduce((total, text) => total + Number(text.split("\t")[column]), 0);
    assert.deepEqual([sum(1), sum(2)], [19, 4]);
    assert.equal(await page.locator(".chart canvas").count(), 1);
    assert.deepEqual(faults, []);
    await close();
  });

  test("keeps the window in the address", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/?window=24h`);
    await page.getByText("Last 24 hours", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Last 7 days" }).click();
    await page.waitForURL("**/?window=7d");
    await textIs(figure(page, "attempts"), "19");
    await page.goBack();
    await page.waitForURL("**/?window=24h");
    assert.equal(await page.getByRole("link", { name: "Last 24 hours" }).getAttribute("aria-current"), "true");
    assert.deepEqual(faults, []);
    await close();
  });

  test("finds messages by event type, outcome and id", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.url);
    const rows = page.locator("table.messages tbody tr");
    await rows.first().waitFor();

    await page.getByRole("combobox", { name: "Outcome" }).selectOption("failed");
    await page.waitForURL("**/?outcome=failed");
    await page.waitForFunction(() => document.querySelectorAll("table.messages tbody tr").length === 3);
    assert.deepEqual(new Set(await rows.locator(".badge").allInnerTexts()), new Set(["Failed"]));

    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("combobox", { name: "Event type" }).selectOption("email.created");
    await page.waitForFunction(() => document.querySelectorAll("table.messages tbody tr").length === 1);

    await page.getByRole("button", { name: "Clear" }).click();
    const { messages } = await collector.api("/api/messages?event_type=session.created");
    await page.getByLabel("Message id").fill(messages[0].message_id);
    await page.waitForFunction(() => document.querySelectorAll("table.messages tbody tr").length === 1);
    await page.getByLabel("Message id").fill("msg_that_never_was");
    await page.getByText("No message has this id").waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("shows older messages on demand, each once", async () => {
    const begin = Date.now() * 1000;
    await collector.post(Array.from({ length: 120 }, (_, index) => attempt({ event_type: "role.created", received_at: begin - index * 1_000 })));
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/messages?event_type=role.created`);
    await page.waitForFunction(() => document.querySelectorAll("table.messages tbody tr").length === 50);
    await page.getByRole("button", { name: "Show older messages" }).click();
    await page.waitForFunction(() => document.querySelectorAll("table.messages tbody tr").length === 100);
    await page.getByRole("button", { name: "Show older messages" }).click();
    await page.waitForFunction(() => document.querySelectorAll("table.messages tbody tr").length === 120);
    const ids = await page.locator("table.messages tbody tr").evaluateAll((rows) => rows.map((row) => row.dataset.message));
    assert.equal(new Set(ids).size, 120);
    assert.equal(await page.getByRole("button", { name: "Show older messages" }).count(), 0);
    assert.deepEqual(faults, []);
    await close();
  });
});
