// A small application with a real wrapper: what its handler does depends on the event type.
import express from "express";
import { init, shutdown } from "surehook";
import { webhookErrors, withWebhookMonitoring } from "surehook/express";

init();
const app = express();
const failedOnce = new Set();

app.post("/api/webhooks/clerk", withWebhookMonitoring({ provider: "clerk", steps: { "email.created": ["send_mail"] } }), (req, res) => {
  const { type, data } = req.body;
  if (type === "organization.created") throw new TypeError("no such plan");
  if (type === "user.updated" && !failedOnce.has(data.id)) {
    failedOnce.add(data.id);
    req.surehook.failed("the database was locked");
    res.status(503).json({ error: "busy" });
    return;
  }
  if (type === "user.created") req.surehook.step("create_profile");
  res.json({ ok: true });
});
app.use(webhookErrors());
app.use((_error, _req, res, _next) => res.status(500).json({ error: "internal" }));

const server = app.listen(0, "127.0.0.1", () => {
  console.log(`listening at http://127.0.0.1:${server.address().port}/api/webhooks/clerk`);
});
process.on("SIGTERM", () => {
  shutdown();
  process.exit(0);
});
