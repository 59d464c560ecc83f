import { describe, expect, it, vi } from "vitest";
import { Api, ApiError, queryString } from "../src/api.ts";

const answer = (status: number, body: string): (() => Promise<Response>) => () =>
  Promise.resolve(new Response(status === 204 ? null : body, { status }));

describe("the API's failures", () => {
  it.each([
    ["a code of the collector", answer(404, '{"error":{"code":"not_found","message":"No such message."}}'), 404, "not_found", "No such message."],
    ["a proxy's page", answer(502, "<html>Bad gateway</html>"), 502, "http_502", "The collector answered 502."],
    ["JSON of another shape", answer(500, '{"error":"oh"}'), 500, "http_500", "The collector answered 500."],
    ["a page in place of JSON", answer(200, "<html>"), 200, "bad_answer", "The collector sent an answer that is not JSON."],
    ["no answer", () => Promise.reject(new TypeError("refused")), 0, "unreachable", "The collector does not answer. Is it running?"],
  ])("tell %s", async (_name, fetch, status, code, message) => {
    const error: unknown = await new Api(fetch).setup().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status, code, message });
  });

  it("ask for a sign-in exactly when the collector does", async () => {
    const asked = vi.fn();
    const api = new Api(answer(401, '{"error":{"code":"login_required","message":"Sign in."}}'));
    api.onLoginRequired = asked;
    await expect(api.setup()).rejects.toMatchObject({ code: "login_required" });
    expect(asked).toHaveBeenCalledTimes(1);
    const wrong = new Api(answer(401, '{"error":{"code":"invalid_token","message":"No."}}'));
    wrong.onLoginRequired = asked;
    await expect(wrong.signIn("x")).rejects.toMatchObject({ code: "invalid_token" });
    expect(asked).toHaveBeenCalledTimes(1);
  });
});

describe("the API's calls", () => {
  it("may be answered without a body", async () => {
    await expect(new Api(answer(204, "")).signIn("token")).resolves.toBeUndefined();
  });
  it("carry ids as one part of the path", async () => {
    const fetch = vi.fn(answer(200, "{}"));
    await new Api(fetch).message("../setup?x");
    expect(fetch).toHaveBeenCalledWith("/api/messages/..%2Fsetup%3Fx", {});
  });
  it("leave out what is not asked", () => {
    expect(queryString({ endpoint: "", event_type: "a&b", limit: 5, before: undefined })).toBe("event_type=a%26b&limit=5");
  });
});
