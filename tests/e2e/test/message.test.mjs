import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { send, startApplication } from "../support/application.mjs";
import { launch, live, openPage, textIs } from "../support/browser.mjs";
import { startCollector } from "../support/collector.mjs";
import { until } from "../support/wait.mjs";

describe("a message's timeline", () => {
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

  const stored = (messageId) =>
    until(`message ${messageId}`, async () => (await collector.api(`/api/messages?message_id=${messageId}`)).messages[0]);

  test("tells a failure, a recovery, a duplicate and a forgery, each as it happens", async () => {
    const seed = ["--event", "user.updated", "--seed", "4711"];
    const first = await send(application, seed);
    const messageId = first.requests[0].message_id;
    const { id } = await stored(messageId);

    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/messages/${id}`);
    await textIs(page.getByRole("heading", { level: 1 }), messageId);
    await page.getByText("Not handled yet: its only attempt failed.").waitFor();
    await page.getByText("the database was locked").waitFor();
    await page.getByText("HTTP 503").waitFor();
    await live(page);

    await send(application, seed);
    await page.getByText("Recovered: handled at the 2nd attempt").waitFor();
    await send(application, seed);
    await page.getByText("1 duplicate was answered with the stored response").waitFor();
    await send(application, seed, { secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });

    const attempts = page.locator("li.attempt");
    await page.locator('li.attempt[data-outcome="rejected"]').waitFor();
    assert.deepEqual(await attempts.evaluateAll((list) => list.map((one) => one.dataset.outcome)), ["failed", "processed", "duplicate", "rejected"]);
    const forged = attempts.nth(3);
    await forged.getByText("HTTP 401").waitFor();
    await forged.getByRole("link", { name: "signature_mismatch" }).waitFor();
    await forged.getByText("No signature matches the body, the headers and the secrets of this endpoint.").waitFor();
    await attempts.nth(2).getByText("The message was handled before.").waitFor();
    await textIs(page.locator(".facts .badge"), "Processed");
    await textIs(page.locator('[role="status"].visually-hidden'), "New: attempt 4, Refused");

    await forged.getByText("Request headers and ids").click();
    await forged.getByRole("row", { name: /content-type/ }).waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("shows the steps of the handler, and those that are missing", async () => {
    const [profile, mail] = await Promise.all([
      send(application, ["--event", "user.created"]), send(application, ["--event", "email.created"]),
    ]);
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/messages/${(await stored(profile.requests[0].message_id)).id}`);
    await page.getByRole("list", { name: "Steps" }).getByText("create_profile").waitFor();
    await page.goto(`${collector.url}/messages/${(await stored(mail.requests[0].message_id)).id}`);
    await page.getByText("Dropped silently").waitFor();
    await page.getByRole("list", { name: "Steps" }).getByText("required, but not done").waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("names the error that a handler threw", async () => {
    const { requests } = await send(application, ["--event", "organization.created"]);
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/messages/${(await stored(requests[0].message_id)).id}`);
    await page.getByText("TypeError").waitFor();
    await page.getByText("no such plan").waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("says so when there is no such message, or no such page", async () => {
    const { page, faults, close } = await openPage(browser);
    for (const path of ["/messages/999999", "/messages/not-a-number"]) {
      await page.goto(collector.url + path);
      await page.getByRole("heading", { name: "There is no such message" }).waitFor();
    }
    // The browser itself reports the 404 of each call.
    assert.equal(faults.splice(0).filter((fault) => !fault.includes("404")).length, 0);
    await page.goto(`${collector.url}/nowhere`);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("says that it is not up to date while the collector is away, and catches up when it is back", async () => {
    const { requests } = await send(application, ["--event", "session.created"]);
    const { id } = await stored(requests[0].message_id);
    const { page, close } = await openPage(browser);
    await page.goto(`${collector.url}/messages/${id}`);
    await live(page);
    await collector.stop();
    await page.locator('.pill[data-state="offline"]').waitFor();
    await textIs(page.locator(".pill"), "Offline");
    await page.getByText("Handled at the first attempt.").waitFor();
    await collector.restart();
    await live(page);
    const again = await send(application, ["--event", "session.created", "--count", "2"]);
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Messages" }).click();
    for (const { message_id: messageId } of again.requests) await page.locator(`[data-message="${messageId}"]`).waitFor();
    await close();
  });
});
