import type { JSX } from "preact";
import { queryString } from "../api.ts";
import { formatCompact } from "../format.ts";
import type { Rejection } from "../types.ts";
import { reasonWord } from "../vocabulary.ts";
import { ReasonCode } from "./ReasonCode.tsx";

/** Requests that were refused before the handler, by reason. */
export function RefusedTable({ rejections }: { rejections: readonly Rejection[] }): JSX.Element {
  if (rejections.length === 0) return <p class="empty">No request was refused.</p>;
  const rows = [...rejections].sort((a, b) => b.count - a.count || a.code.localeCompare(b.code));
  return (
    <ul class="refused">
      {rows.map(({ endpoint, code, count }, index) => {
        const { meaning, check } = reasonWord(code);
        return (
          <li key={index} data-code={code}>
            <span class="refused-count">{formatCompact(count)}</span>
            <div>
              <p class="refused-head">
                <ReasonCode code={code} />
                <a href={`/messages?${queryString({ endpoint, outcome: "rejected" })}`}>at {endpoint}</a>
              </p>
              <p>{meaning}</p>
              <p class="muted"><span class="hint-label">Check first</span> {check}</p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
