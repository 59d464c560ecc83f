/** What to paste for each framework: the public names of the packages, as in the quick starts under `docs/`. */

export const FRAMEWORKS = ["fastapi", "flask", "express", "nextjs"] as const;
export type Framework = (typeof FRAMEWORKS)[number];

export interface File {
  name: string;
  code: string;
}

export interface Guide {
  label: string;
  install: string;
  /** Where the application listens by default, for the test event. */
  url: string;
  files: File[];
}

export const GUIDES: Record<Framework, Guide> = {
  fastapi: {
    label: "FastAPI",
    install: "pip install surehook",
    url: "http://127.0.0.1:8000/api/webhooks/clerk",
    files: [{
      name: "main.py",
      code: `import surehook
from fastapi import FastAPI, Request
from surehook.fastapi import with_webhook_monitoring

surehook.init()
app = FastAPI()


@app.post("/api/webhooks/clerk")
@with_webhook_monitoring(provider="clerk")
async def clerk(request: Request):
    event = await request.json()
    print(event["type"], event["data"]["id"])  # your work
    return {"ok": True}
`,
    }],
  },
  flask: {
    label: "Flask",
    install: "pip install surehook",
    url: "http://127.0.0.1:5000/api/webhooks/clerk",
    files: [{
      name: "app.py",
      code: `import surehook
from flask import Flask, request
from surehook.flask import with_webhook_monitoring

surehook.init()
app = Flask(__name__)


@app.post("/api/webhooks/clerk")
@with_webhook_monitoring(provider="clerk")
def clerk():
    event = request.get_json()
    print(event["type"], event["data"]["id"])  # your work
    return {"ok": True}
`,
    }],
  },
  express: {
    label: "Express",
    install: "npm install surehook",
    url: "http://127.0.0.1:3000/api/webhooks/clerk",
    files: [{
      name: "server.mjs",
      code: `import express from "express";
import { init } from "surehook";
import { webhookErrors, withWebhookMonitoring } from "surehook/express";

init();
const app = express();

app.post("/api/webhooks/clerk", withWebhookMonitoring({ provider: "clerk" }), (req, res) => {
  const event = req.body;
  console.log(event.type, event.data.id); // your work
  res.json({ ok: true });
});
app.use(webhookErrors());

app.listen(3000);
`,
    }],
  },
  nextjs: {
    label: "Next.js",
    install: "npm install surehook",
    url: "http://127.0.0.1:3000/api/webhooks/clerk",
    files: [
      {
        name: "app/api/webhooks/clerk/route.ts",
        code: `import { init } from "surehook";
import { withWebhookMonitoring } from "surehook/nextjs";

init();

export const POST = withWebhookMonitoring({ provider: "clerk" }, async (req) => {
  const event = await req.json();
  console.log(event.type, event.data.id); // your work
  return Response.json({ ok: true });
});
`,
      },
      {
        name: "next.config.ts",
        code: `import { withSurehook } from "surehook/nextjs";

export default withSurehook({});
`,
      },
    ],
  },
};

/** The lines for the application's environment. */
export function environment(endpoint: string, key: string): string {
  return `SUREHOOK_API_KEY=${key}
SUREHOOK_ENDPOINT=${endpoint}
CLERK_WEBHOOK_SIGNING_SECRET=whsec_…
`;
}

export function testCommand(framework: Framework): string {
  return `surehook send ${GUIDES[framework].url} --event user.created
`;
}
