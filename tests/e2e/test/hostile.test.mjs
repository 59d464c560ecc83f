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
  return attempt({
    endpoint: text, provider: text.slice(0, 100), message_id: `${text}${index}`, event_type: text, entity_id: text,
    outcome: "failed", status: 500,
    verification: { result: "verified", code: "signature_mismatch", diagnosis: { finding: "body_bom", certainty: "likely", evidence: text, fix: text } },
    dedup: { result: "new", store: text },
    steps: [{ name: text, at_us: 10 }],
    missing_steps: [text],
    failure: { reason: text, error: { type: text, message: text, fingerprint: "0123456789abcdef" } },
    request: { method: text, path: text, headers: { [text]: text, "user-agent": text }, size: 2 },
    metadata: { [text]: text },
  });
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
      await page.getByText("Request headers and ids").click();
      const shown = await page.locator("#app").innerText();
      const times = shown.split(message.event_type).length - 1;
      assert.ok(times >= 14, `${message.event_type} is shown ${times} times`);
      assert.equal(await foreign(page), 0);
      assert.ok((await page.title()).startsWith(message.message_id));
    }
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
