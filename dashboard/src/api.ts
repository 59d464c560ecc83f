/** The collector's API, typed. Every failure is an {@link ApiError} with a stable code. */
import type { MessageDetail, MessageList, NewKey, Overview, SetupState, Window } from "./types.ts";

/** `unreachable` and `bad_answer` are ours; the other codes come from the collector. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
    this.name = "ApiError";
  }
}

export interface MessageQuery {
  endpoint?: string | undefined;
  event_type?: string | undefined;
  outcome?: string | undefined;
  message_id?: string | undefined;
  limit?: number | undefined;
  before?: string | undefined;
}

type Fetch = (input: string, init: RequestInit) => Promise<Response>;

export class Api {
  /** Called when the collector asks for a token. */
  onLoginRequired: () => void = () => undefined;

  constructor(private readonly fetch: Fetch = (input, init) => globalThis.fetch(input, init)) {}

  overview(window: Window, signal?: AbortSignal): Promise<Overview> {
    return this.request(`/api/overview?window=${window}`, signal ? { signal } : {});
  }

  messages(query: MessageQuery, signal?: AbortSignal): Promise<MessageList> {
    return this.request(`/api/messages?${queryString(query)}`, signal ? { signal } : {});
  }

  message(id: string, signal?: AbortSignal): Promise<MessageDetail> {
    return this.request(`/api/messages/${encodeURIComponent(id)}`, signal ? { signal } : {});
  }

  setup(signal?: AbortSignal): Promise<SetupState> {
    return this.request("/api/setup", signal ? { signal } : {});
  }

  createKey(name: string): Promise<NewKey> {
    return this.request("/api/keys", post({ name }));
  }

  async revokeKey(id: number): Promise<void> {
    await this.request(`/api/keys/${id}`, { method: "DELETE", headers: OWN });
  }

  async acknowledge(id: number, count: number): Promise<void> {
    await this.request(`/api/cases/${id}/acknowledge`, post({ count }));
  }

  async signIn(token: string): Promise<void> {
    await this.request("/api/session", post({ token }));
  }

  private async request<T>(path: string, init: RequestInit): Promise<T> {
    let response: Response;
    try {
      response = await this.fetch(path, init);
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      throw new ApiError(0, "unreachable", "The collector does not answer. Is it running?");
    }
    const body = await readJson(response);
    if (response.ok && body !== undefined) return body as T;
    if (response.ok) throw new ApiError(response.status, "bad_answer", "The collector sent an answer that is not JSON.");
    const error = errorOf(response.status, body);
    if (error.code === "login_required") this.onLoginRequired();
    throw error;
  }
}

/** No page of another site can send this header: it tells the collector that a call is the dashboard's own. */
const OWN = { "x-surehook-dashboard": "1" };

function post(body: unknown): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json", ...OWN }, body: JSON.stringify(body) };
}

/** The JSON of an answer; null for an empty one, undefined for one that cannot be read. */
async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function errorOf(status: number, body: unknown): ApiError {
  const { error } = (body ?? {}) as { error?: { code?: unknown; message?: unknown } };
  const code = typeof error?.code === "string" ? error.code : `http_${status}`;
  const message = typeof error?.message === "string" && error.message !== "" ? error.message : `The collector answered ${status}.`;
  return new ApiError(status, code, message);
}

/** Only what is set, in a stable order. */
export function queryString(query: MessageQuery): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, string | number | undefined][]) {
    if (value !== undefined && value !== "") params.set(name, String(value));
  }
  return params.toString();
}
