import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, live, openPage, textIs } from "../support/browser.mjs";
import { attempt, startCollector } from "../support/collector.mjs";

const EVIDENCE = "The signature is right for the body written again without spaces after : and ,.";
const FIX = "Hand over the raw bytes: in FastAPI, await request.body() before anything parses it.";

/** An attempt that was refused for its signature, and why. */
function refused(changes = {}, diagnosis = {}) {
  return attempt({
    outcome: "rejected",
    status: 401,
    event_type: undefined,
    verification: {
      result: "rejected",
      code: "signature_mismatch",
      diagnosis: { finding: "body_reserialized", certainty: "proved", evidence: EVIDENCE, fix: FIX, ...diagnosis },
    },
    dedup: { result: "off" },
    ...changes,
  });
}

describe("a refused attempt", () => {
  let collector, browser;
  before(async () => {
    [collector, browser] = await Promise.all([startCollector(), launch()]);
  });
  after(async () => {
    await browser?.close();
    await collector?.close();
  });

  test("is found from the overview, and says why and how to mend it", async () => {
    await collector.post([refused({ message_id: "msg_nobody_knows" })]);
    const { page, faults, close } = await openPage(browser);
    await page.goto(collector.url);
    await page.locator('[data-code="signature_mismatch"]').getByRole("link", { name: "at clerk" }).click();
    await page.locator('[data-message="msg_nobody_knows"] a').click();

    await page.getByText("Refused before the handler. The JSON was parsed and written again before the check").waitFor();
    const note = page.getByRole("region", { name: "Diagnosis" });
    await textIs(note.locator("strong"), "Body parsed and written again");
    await textIs(note.locator(".badge"), "Proved: An experiment with this cause made the signature right.");
    await note.getByText(EVIDENCE).waitFor();
    await note.getByText(FIX).waitFor();
    assert.match(await note.getByRole("link").getAttribute("href"), /\/docs\/diagnostics\/body_reserialized\.md$/);
    assert.deepEqual(faults, []);
    await close();
  });

  test("without an id is found too, and a likely cause is not told as a proved one", async () => {
    await collector.post([refused({ message_id: undefined }, { finding: "body_decoded_lossily", certainty: "likely" })]);
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/messages?outcome=rejected`);
    await page.getByRole("link", { name: /^without an id/ }).click();
    await page.getByText("Likely: the body was decoded as text").waitFor();
    await textIs(page.getByRole("region", { name: "Diagnosis" }).locator(".badge"), "Likely: It looks like this, but no experiment proves it.");
    assert.deepEqual(faults, []);
    await close();
  });

  test("shows its diagnosis as soon as it arrives", async () => {
    await collector.post([attempt({ message_id: "msg_live" })]);
    const { id } = (await collector.api("/api/messages?message_id=msg_live")).messages[0];
    const { page, faults, close } = await openPage(browser);
    await page.goto(`${collector.url}/messages/${id}`);
    await live(page);
    assert.equal(await page.getByRole("region", { name: "Diagnosis" }).count(), 0);
    await collector.post([refused({ message_id: "msg_live" })]);
    await page.getByRole("region", { name: "Diagnosis" }).getByText(FIX).waitFor();
    assert.deepEqual(faults, []);
    await close();
  });
});
