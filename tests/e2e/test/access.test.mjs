import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { launch, live, openPage } from "../support/browser.mjs";
import { attempt, startCollector } from "../support/collector.mjs";

const REJECTED = { outcome: "rejected", status: 401, verification: { result: "rejected", code: "signature_mismatch" }, dedup: { result: "off" } };
const DIAGNOSIS = { finding: "body_trailing_newline", certainty: "proved", evidence: "It is right without the newline at the end.", fix: "Send the file as it is." };
const REFUSED = { ...REJECTED, verification: { ...REJECTED.verification, diagnosis: DIAGNOSIS } };
const LIKELY = { ...REJECTED, verification: { ...REJECTED.verification, diagnosis: { ...DIAGNOSIS, certainty: "likely" } } };
const FAILURE = { reason: "no plan", error: { type: "TypeError", message: "no such plan", fingerprint: "0123456789abcdef" } };

/** One attempt of every outcome, and one message with a long story. */
function everything() {
  const story = { message_id: "msg_story", event_type: "user.updated" };
  const steps = [{ name: "load_account", at_us: 2_000 }, { name: "create_profile", at_us: 9_000 }];
  return [
    attempt({ ...story, ...REJECTED, event_type: undefined }),
    attempt({ ...story, ...REFUSED, event_type: undefined }),
    attempt({ ...story, ...LIKELY, event_type: undefined }),
    attempt({ ...story, outcome: "failed", status: 500, failure: FAILURE, steps, missing_steps: ["send_mail"] }),
    attempt({ ...story, metadata: { tenant: "acme" }, steps, duration_us: 12_000, request: { method: "POST", path: "/", size: 2, headers: { "user-agent": "Svix" } } }),
    attempt({ ...story, outcome: "duplicate", dedup: { result: "duplicate", store: "memory" } }),
    ...["processed", "silent_drop", "failed", "in_flight", "unavailable", "duplicate", "ignored"].map((outcome) =>
      attempt({ outcome, event_type: `${outcome}.event`, entity_id: "user_1" })),
    attempt({ ...REJECTED, message_id: undefined, event_type: undefined }),
    attempt({ endpoint: "billing", event_type: "paymentAttempt.updated" }),
  ];
}

/** A message whose work was deferred, failed elsewhere, missed its deadline, and was done without a step that is usual. */
function deferredStory() {
  const known = { message_id: "msg_deferred", event_type: "user.deleted" };
  const usual = Array.from({ length: 50 }, () => attempt({
    event_type: "user.deleted", received_at: Date.now() * 1000 - 600_000_000, steps: [{ name: "delete_profile", at_us: 5 }],
  }));
  const first = attempt({
    ...known, outcome: "deferred", status: 202, deferred_until: Date.now() * 1000 - 1_000_000, received_at: Date.now() * 1000 - 60_000_000,
    bodies: { request: '{"type":"user.deleted"}', response: "ok" }, metadata: { tenant: "acme" },
    steps: [{ name: "load_account", at_us: 700, duration_us: 500, error: FAILURE.error }],
  });
  const rest = (changes) => attempt({ ...known, continues: first.id, status: undefined, request: { method: "", path: "", size: 0 }, ...changes });
  return [...usual, first, rest({ outcome: "failed", failure: FAILURE }), rest({ outcome: "processed", metadata: { queue: "mail" } })];
}

describe("the pages for everybody", () => {
  let collector, empty, browser, story, deferred;
  before(async () => {
    [collector, empty, browser] = await Promise.all([startCollector(), startCollector(), launch()]);
    await collector.post(everything());
    await collector.post(deferredStory());
    const idOf = async (messageId) => (await collector.api(`/api/messages?message_id=${messageId}`)).messages[0].id;
    [story, deferred] = await Promise.all([idOf("msg_story"), idOf("msg_deferred")]);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([collector?.close(), empty?.close()]);
  });

  const pages = () => [
    { name: "overview", url: collector.url, ready: "table.messages tbody tr" },
    { name: "messages", url: `${collector.url}/messages`, ready: "table.messages tbody tr" },
    { name: "message", url: `${collector.url}/messages/${story}`, ready: "li.attempt" },
    { name: "deferred message", url: `${collector.url}/messages/${deferred}`, ready: ".suspicion" },
    { name: "suspected messages", url: `${collector.url}/messages?outcome=suspected_silent_drop`, ready: "table.messages tbody tr" },
    { name: "setup", url: `${collector.url}/setup`, ready: ".setup" },
    { name: "empty overview", url: empty.url, ready: ".notice" },
    { name: "empty setup", url: `${empty.url}/setup`, ready: ".setup" },
    { name: "no such page", url: `${collector.url}/nowhere`, ready: ".notice" },
  ];

  for (const colorScheme of ["light", "dark"]) {
    test(`axe finds nothing serious in ${colorScheme}`, async () => {
      for (const { name, url, ready } of pages()) {
        const { page, faults, close } = await openPage(browser, { colorScheme, reducedMotion: "reduce" });
        await page.goto(url);
        await page.locator(ready).first().waitFor();
        await live(page);
        for (const details of await page.locator("details").all()) await details.evaluate((element) => { element.open = true; });
        const { violations } = await new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] }).analyze();
        const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(grave.map(({ id, nodes }) => [name, id, nodes.map((node) => node.html)]), []);
        assert.deepEqual(faults, [], name);
        await close();
      }
    });
  }

  test("axe finds a fault when there is one", async () => {
    const { page, close } = await openPage(browser);
    await page.goto(collector.url);
    await page.locator("table.messages tbody tr").first().waitFor();
    await page.evaluate(() => document.querySelector("h1").append(Object.assign(document.createElement("img"), { src: "/favicon.svg" })));
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] }).analyze();
    assert.ok(violations.some(({ id }) => id === "image-alt"));
    await close();
  });

  test("a keyboard goes from the overview to a message and back, and the focus is always seen", async () => {
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.url);
    await page.locator('[data-message="msg_story"]').waitFor();
    const focused = () => page.evaluate(() => ({
      text: document.activeElement.textContent.trim(),
      tag: document.activeElement.tagName,
      seen: document.activeElement.matches(":focus-visible") && getComputedStyle(document.activeElement).outlineStyle !== "none",
    }));

    await page.keyboard.press("Tab");
    assert.equal((await focused()).text, "Skip to the content");
    await page.keyboard.press("Enter");
    const tabTo = async (text) => {
      for (let stops = 0; stops < 60; stops += 1) {
        await page.keyboard.press("Tab");
        const here = await focused();
        assert.ok(here.seen, `the focus is not seen on ${JSON.stringify(here)}`);
        if (here.text === text) return;
      }
      assert.fail(`${text} cannot be reached by Tab`);
    };
    await tabTo("msg_story");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/messages/${story}`);
    await page.locator("li.attempt").first().waitFor();
    assert.deepEqual(await page.evaluate(() => document.activeElement.tagName), "H1");
    assert.equal(await page.title(), "msg_story · Surehook");
    await tabTo("Request headers and ids");
    await page.keyboard.press("Enter");
    await page.locator("li.attempt").first().getByText("No header was recorded.").waitFor();
    await page.goBack();
    await page.locator("table.messages").waitFor();
    assert.deepEqual(faults, []);
    await close();
  });

  test("the theme follows the system until one is chosen, and the choice is remembered before the first paint", async () => {
    const { page, faults, close } = await openPage(browser, { colorScheme: "dark" });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await page.goto(collector.url);
    await page.locator("h1").waitFor();
    const dark = await ground();
    await page.getByRole("button", { name: "Theme: as the system. Change to light" }).click();
    const light = await ground();
    assert.notEqual(light, dark);
    await page.reload();
    assert.equal(await ground(), light);
    await page.getByRole("button", { name: "Theme: light. Change to dark" }).click();
    assert.equal(await ground(), dark);
    await page.getByRole("button", { name: "Theme: dark. Change to as the system" }).click();
    await page.emulateMedia({ colorScheme: "light" });
    assert.equal(await ground(), light);
    assert.deepEqual(faults, []);
    await close();
  });

  test("nothing is cut off at 400 pixels", async () => {
    const { page, faults, close } = await openPage(browser, { viewport: { width: 400, height: 800 } });
    for (const { name, url, ready } of pages()) {
      await page.goto(url);
      await page.locator(ready).first().waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 400, name);
    }
    assert.deepEqual(faults, []);
    await close();
  });
});
