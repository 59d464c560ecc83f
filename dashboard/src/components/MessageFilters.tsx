import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { route, setQuery } from "../router.ts";
import { NOT_HANDLED, OUTCOMES, SUSPECTED } from "../types.ts";
import { NOT_HANDLED_WORD, outcomeWord, SUSPECTED_WORD } from "../vocabulary.ts";
import { Icon } from "./Icon.tsx";

const SETTLED_MS = 250;

export interface MessageFilter {
  endpoint: string;
  event_type: string;
  outcome: string;
  message_id: string;
}

/** The filter that the address holds. */
export function currentFilter(): MessageFilter {
  const { query } = route.value;
  const of = (name: string): string => query.get(name) ?? "";
  return { endpoint: of("endpoint"), event_type: of("event_type"), outcome: of("outcome"), message_id: of("message_id") };
}

interface MessageFiltersProps {
  filter: MessageFilter;
  endpoints: readonly string[];
  eventTypes: readonly string[];
}

/** Every change goes to the address, from where the list reads it. */
export function MessageFilters({ filter, endpoints, eventTypes }: MessageFiltersProps): JSX.Element {
  const outcomes: Option[] = [
    ...OUTCOMES.map((outcome) => ({ value: outcome, label: outcomeWord(outcome).label })),
    { value: SUSPECTED, label: SUSPECTED_WORD.label },
    { value: NOT_HANDLED, label: NOT_HANDLED_WORD.label },
  ];
  return (
    <form class="filters" role="search" aria-label="Messages" onSubmit={(event) => { event.preventDefault(); }}>
      <Search value={filter.message_id} />
      <Choice name="event_type" label="Event type" value={filter.event_type} options={plain(eventTypes)} />
      <Choice name="outcome" label="Outcome" value={filter.outcome} options={outcomes} />
      {(endpoints.length > 1 || filter.endpoint !== "") && (
        <Choice name="endpoint" label="Endpoint" value={filter.endpoint} options={plain(endpoints)} />
      )}
      {Object.values(filter).some((value) => value !== "") && (
        <button type="button" class="button quiet" onClick={() => { setQuery({ endpoint: "", event_type: "", outcome: "", message_id: "" }); }}>
          Clear
        </button>
      )}
    </form>
  );
}

interface Option {
  value: string;
  label: string;
}

function plain(values: readonly string[]): Option[] {
  return values.map((value) => ({ value, label: value }));
}

function Choice({ name, label, value, options }: { name: string; label: string; value: string; options: Option[] }): JSX.Element {
  const known = options.some((option) => option.value === value);
  return (
    <label class="choice">
      <span>{label}</span>
      <select name={name} value={value} onChange={(event) => { setQuery({ [name]: event.currentTarget.value }); }}>
        <option value="">Any</option>
        {!known && value !== "" && <option value={value}>{value}</option>}
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
    </label>
  );
}

/** Asks once the typing rests. */
function Search({ value }: { value: string }): JSX.Element {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    clearTimeout(timer.current);
    setText(value);
  }, [value]);
  const typed = (next: string): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => { setQuery({ message_id: next.trim() }); }, SETTLED_MS);
  };
  return (
    <label class="choice search">
      <span>Message id</span>
      <span class="search-field">
        <Icon name="search" />
        <input
          type="search"
          name="message_id"
          value={text}
          placeholder="msg_… (whole)"
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => { typed(event.currentTarget.value); }}
        />
      </span>
    </label>
  );
}
