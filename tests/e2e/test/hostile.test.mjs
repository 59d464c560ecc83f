import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, live, openPage } from "../support/browser.mjs";
import { attempt, startCollector } from "../support/collector.mjs";

const CORPUS = [
  `<script>alert(1)</script>`,
  `"><img src=x onerror=alert(1)>`,
  `'"><svg/onload=alert(1)>`,
  `<iframe src="javascript:alert(1)"></iframe>`,
  `<a href="javascript:alert(1)">click</a>`,
  `javascript:alert(1)`,
  `{{constructor.constructor('alert(1)')()}}`,
  `\${alert(1)}`,
  `</title><script>alert(1)</script>`,
  `<style>*{display:none}</style>`,
  `<math><mtext></mtext><script>alert(1)</script></math>`,
  `--></textarea><details open ontoggle=alert(1)>`,
  `\u202Egnp.exe <b>bold</b>`,
  `__proto__`,
  `constructor`,
];

/** The text in every field of the wire that takes text. */
function poisoned(text, index) {
  const error = { type: text, message: text, fingerprint: "0123456789abcdef" };
  return attempt({
    endpoint: text, provider: text.slice(0, 100), message_id: `${text}${index}`, event_type: text, entity_id: text,
    outcome: "failed", status: 500,
    verification: { result: "verified", code: "signature_mismatch", diagnosis: { finding: "body_bom", certainty: "likely", evidence: text, fix: text } },
    dedup: { result: "new", store: text },
    steps: [{ name: text, at_us: 10, duration_us: 5, error }],
    missing_steps: [text],
    failure: { reason: text, error },
    request: { method: text, path: text, headers: { [text]: text, "user-agent": text }, size: 2 },
    bodies: { request: JSON.stringify({ [text]: [text] }), response: text },
    metadata: { [text]: text },
  });
}

/** Deferred work of a message, marked by another process that writes what it likes. */
function poisonedRest(text, index) {
  const known = { endpoint: text, provider: text.slice(0, 100), message_id: `rest ${text}${index}`, event_type: text, entity_id: text };
  const first = attempt({ ...known, outcome: "deferred", deferred_until: Date.now() * 1000 + 60_000_000, status: 202 });
  const rest = attempt({
    ...known, continues: first.id, outcome: "failed", failure: { reason: text }, metadata: { [text]: text },
    steps: [{ name: text, at_us: 10 }], missing_steps: [text], request: { method: "", path: "", size: 0 },
  });
  delete rest.status;
  return [first, rest];
}

/** How often a page shows a text: as it is, or as JSON writes it. */
function timesIn(shown, text) {
  const forms = new Set([text, JSON.stringify(text).slice(1, -1)]);
  return [...forms].reduce((sum, form) => sum + shown.split(form).length - 1, 0);
}

/** A habit whose step has the text for a name, and a message that lacks it. */
function poisonedHabit(text, index) {
  const known = { endpoint: `habit ${index}`, event_type: text };
  const usual = Array.from({ length: 50 }, () => attempt({ ...known, steps: [{ name: text, at_us: 1 }] }));
  return [...usual, attempt({ ...known, message_id: `habit ${index}` })];
}

describe("hostile text from the wire", () => {
  let collector, browser;
  before(async () => {
    [collector, browser] = await Promise.all([startCollector(), launch()]);
    await collector.post(CORPUS.map(poisoned));
  });
  after(async () => {
    await browser?.close();
    await collector?.close();
  });

  /** Elements that no page of ours makes. */
  const foreign = (page) => page.evaluate(() => document.querySelectorAll(
    "#app :is(script, iframe, style, math, img, textarea, b, [onerror], [onload], [ontoggle], a[href^='javascript'])",
  ).length);

  test("shows as text on the overview and in the list", async () => {
    const { page, faults, close } = await openPage(browser);
    for (const path of ["/", "/messages"]) {
      await page.goto(collector.url + path);
      await live(page);
      await page.locator("table.messages tbody tr").first().waitFor();
      const shown = await page.locator("#app").innerText();
      for (const text of path === "/" ? CORPUS.slice(-12) : CORPUS) assert.ok(shown.includes(text), `${path} does not show ${text}`);
      assert.equal(await foreign(page), 0);
    }
    assert.deepEqual(faults, []);
    await close();
  });

  test("shows as text in every field of a message", async () => {
    const { page, faults, close } = await openPage(browser);
    const { messages } = await collector.api("/api/messages?limit=200");
    assert.equal(messages.length, CORPUS.length);
    for (const message of messages) {
      await page.goto(`${collector.url}/messages/${message.id}`);
      await page.locator("li.attempt").waitFor();
      for (const summary of await page.locator(".attempt-details summary").all()) await summary.click();
      const shown = await page.locator("#app").innerText();
      const times = timesIn(shown, message.event_type);
      assert.ok(times >= 20, `${message.event_type} is shown ${times} times`);
      assert.equal(await foreign(page), 0);
      assert.ok((await page.title()).startsWith(message.message_id));
    }
    assert.deepEqual(faults, []);
    await close();
  });

  test("shows as text in deferred work, and in what is only suspected", async () => {
    await collector.post(CORPUS.flatMap(poisonedRest));
    for (const [index, text] of CORPUS.entries()) await collector.post(poisonedHabit(text, index));
    const { page, faults, close } = await openPage(browser);
    for (const [index, text] of CORPUS.entries()) {
      const rest = await collector.api(`/api/messages?message_id=${encodeURIComponent(`rest ${text}${index}`)}`);
      await page.goto(`${collector.url}/messages/${rest.messages[0].id}`);
      await page.locator('li.attempt[data-kind="rest"]').getByText("Reason given").waitFor();
      for (const summary of await page.locator(".attempt-details summary").all()) await summary.click();
      const times = timesIn(await page.locator('li.attempt[data-kind="rest"]').innerText(), text);
      assert.ok(times >= 5, `${text} is shown ${times} times`);
      assert.equal(await foreign(page), 0);

      const habit = await collector.api(`/api/messages?message_id=${encodeURIComponent(`habit ${index}`)}`);
      await page.goto(`${collector.url}/messages/${habit.messages[0].id}`);
      await page.locator(".suspicion li").waitFor();
      assert.ok((await page.locator(".suspicion").innerText()).includes(text), text);
      assert.equal(await foreign(page), 0);
    }
    await page.goto(`${collector.url}/messages?outcome=suspected_silent_drop`);
    await page.locator("table.messages tbody tr").first().waitFor();
    assert.equal(await page.locator("table.messages tbody tr").count(), CORPUS.length);
    assert.equal(await foreign(page), 0);
    assert.deepEqual(faults, []);
    await close();
  });

  test("is a fault when a page runs it, so that these tests would see it", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.url);
    await page.locator("h1").waitFor();
    await page.evaluate(() => { document.querySelector("h1").innerHTML = `<img src=x onerror=alert(1)><p style="color:red"></p>`; });
    assert.equal(await foreign(page), 1);
    await page.waitForFunction(() => document.querySelector("h1 img").complete);
    assert.ok(faults.some((fault) => fault.startsWith("content policy:")), JSON.stringify(faults));
    await close();
  });
});
