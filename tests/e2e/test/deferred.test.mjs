import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, live, openPage, textIs } from "../support/browser.mjs";
import { attempt, startCollector } from "../support/collector.mjs";

const SECOND = 1_000_000;

/** An attempt that defers its work for so many seconds. */
function deferring(seconds, changes = {}) {
  return attempt({ outcome: "deferred", status: 202, deferred_until: Date.now() * 1000 + seconds * SECOND, ...changes });
}

/** What another process says of it. */
function rest(of, outcome, changes = {}) {
  const { endpoint, provider, message_id, event_type } = of;
  const told = attempt({ endpoint, provider, message_id, event_type, continues: of.id, outcome, duration_us: 2 * SECOND, dedup: { result: "off" }, request: { method: "", path: "", size: 0 }, ...changes });
  delete told.status;
  return told;
}

describe("work that goes on after the answer", () => {
  let collector, browser;
  before(async () => {
    [collector, browser] = await Promise.all([startCollector(), launch()]);
  });
  after(async () => {
    await browser?.close();
    await collector?.close();
  });

  const figure = (page, name) => page.locator(`[data-figure="${name}"] dd`);
  async function openMessage(page, { message_id: messageId }) {
    const { messages } = await collector.api(`/api/messages?message_id=${messageId}`);
    await page.goto(`${collector.url}/messages/${messages[0].id}`);
  }

  test("waits on the timeline, and ends there when it is marked", async () => {
    const first = deferring(3_600);
    await collector.post([first]);
    const { page, faults, close } = await openPage(browser);
    await openMessage(page, first);
    await live(page);
    await page.getByText("Deferred: the handler answered, and its work goes on elsewhere, to be marked by").waitFor();
    await page.getByText(/Not marked yet: \d+ min( \d+ s)? left/).waitFor();

    await collector.post([rest(first, "processed", { steps: [{ name: "send_mail", at_us: SECOND, duration_us: SECOND }] })]);
    await page.getByText("Handled: the work was deferred, and is done.").waitFor();
    await textIs(page.locator(".timeline-title"), "1 attempt");
    await textIs(page.locator(".facts .badge"), "Processed");
    await textIs(page.locator('[role="status"].visually-hidden'), "New: deferred work, Processed");
    await page.getByText("What became of the deferred work of attempt 1.").waitFor();
    await page.locator(".ending").getByRole("link", { name: "Processed" }).click();
    assert.equal(await page.locator("li.attempt:target").getAttribute("data-kind"), "rest");
    assert.deepEqual(faults, []);
    await close();
  });

  test("is a silent drop when nobody marks it by its deadline, and the page says so by itself", async () => {
    const first = deferring(1);
    await collector.post([first]);
    const { page, faults, close } = await openPage(browser);
    await openMessage(page, first);
    await page.getByText("Dropped silently: the work was deferred, and nobody marked it by its deadline.").waitFor();
    await page.getByText("Not marked by its deadline: nobody said how the work ended.").waitFor();
    await collector.post([rest(first, "processed")]);
    await page.getByText("Handled late: the work was deferred, and done after its deadline.").waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("and suspicions have their figures, their filter and their marks", async () => {
    const usual = Array.from({ length: 50 }, () => attempt({ event_type: "user.updated", steps: [{ name: "sync_profile", at_us: 5 }] }));
    const lacking = attempt({ event_type: "user.updated" });
    await collector.post([...usual, lacking, deferring(3_600)]);
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.url);
    await textIs(figure(page, "suspected_silent_drop"), "1");
    await textIs(figure(page, "deferred"), "3");
    await textIs(figure(page, "attempts"), "54");
    await page.getByRole("link", { name: "1 suspected" }).click();
    await page.waitForURL("**/messages?*outcome=suspected_silent_drop*");
    const rows = page.locator("table.messages tbody tr");
    await page.waitForFunction(() => document.querySelectorAll("table.messages tbody tr").length === 1);
    await rows.getByText("Suspected").waitFor();
    await page.getByRole("combobox", { name: "Outcome" }).selectOption({ label: "Deferred" });
    await page.getByRole("combobox", { name: "Event type" }).selectOption("");
    await page.waitForURL((url) => url.searchParams.get("outcome") === "deferred");
    await rows.locator(".badge").getByText("Deferred").first().waitFor();

    await openMessage(page, lacking);
    await page.getByText("Suspected of a silent drop: nearly every message like it records sync_profile.").waitFor();
    await page.getByText("sync_profile is missing: 50 of the last 50 messages recorded it.").waitFor();
    await textIs(page.locator(".facts .badge"), "Processed");
    assert.deepEqual(faults, []);
    await close();
  });

  test("captured bodies and metadata are there on demand, as text", async () => {
    const one = attempt({ bodies: { request: `{"type":"user.created","n":12345678901234567890}`, response: "ok" }, metadata: { tenant: "t1" } });
    await collector.post([one]);
    const { page, faults, close } = await openPage(browser);
    await openMessage(page, one);
    const body = page.getByRole("region", { name: "Request body" });
    await page.getByText("Request body").waitFor();
    assert.equal(await body.isVisible(), false);
    await page.getByText("Request body").click();
    assert.equal(await body.innerText(), `{\n  "type": "user.created",\n  "n": 12345678901234567890\n}`);
    await page.getByText("Metadata").click();
    assert.match(await page.getByRole("region", { name: "Metadata" }).innerText(), /"tenant": "t1"/);
    assert.deepEqual(faults, []);
    await close();
  });
});
