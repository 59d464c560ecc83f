import type { JSX } from "preact";

/** Drawn on a 16 × 16 field, in the colour of the text around them. */
const PATHS = {
  processed: "M3.500 8.500 6.500 11.500 12.500 4.500",
  failed: "M4.500 4.500 11.500 11.500M11.500 4.500 4.500 11.500",
  silent_drop: "M8 2.500C10.500 5.500 12 7.500 12 9.700A4 4 0 0 1 4 9.700C4 7.500 5.500 5.500 8 2.500ZM2.500 2.500 13.500 13.500",
  rejected: "M8 2.500A5.500 5.500 0 1 1 8 13.500A5.500 5.500 0 0 1 8 2.500ZM4.200 4.200 11.800 11.800",
  in_flight: "M8 4.500V8L10.500 9.500M8 2.500A5.500 5.500 0 1 1 8 13.500A5.500 5.500 0 0 1 8 2.500Z",
  unavailable: "M8 2.500 14 13.200H2ZM8 6.700V9.500M8 11.400V11.500",
  duplicate: "M6 6H13.500V13.500H6ZM10 6V2.500H2.500V10H6",
  ignored: "M3.500 8H12.500",
  deferred: "M4 2.500H12M4 13.500H12M5.300 2.500V4.500L8 8L10.700 4.500V2.500M5.300 13.500V11.500L8 8L10.700 11.500V13.500",
  suspected: "M5.300 5.600A2.700 2.700 0 1 1 9 8.100C8.300 8.400 8 8.900 8 9.600M8 12.300V12.400",
  copy: "M6 6H13.500V13.500H6ZM10 6V2.500H2.500V10H6",
  check: "M3.500 8.500 6.500 11.500 12.500 4.500",
  search: "M7 2.500A4.500 4.500 0 1 1 7 11.500A4.500 4.500 0 0 1 7 2.500ZM10.300 10.300 13.500 13.500",
  back: "M9.500 3.500 5 8 9.500 12.500",
  forward: "M6.500 3.500 11 8 6.500 12.500",
  sun: "M8 5.300A2.700 2.700 0 1 1 8 10.700A2.700 2.700 0 0 1 8 5.300ZM8 1.500V2.800M8 13.200V14.500M1.500 8H2.800M13.200 8H14.500M3.400 3.400 4.300 4.300M11.700 11.700 12.600 12.600M12.600 3.400 11.700 4.300M4.300 11.700 3.400 12.600",
  moon: "M13 9.700A5.600 5.600 0 1 1 6.300 3A4.400 4.400 0 0 0 13 9.700Z",
  auto: "M8 2.500A5.500 5.500 0 1 1 8 13.500A5.500 5.500 0 0 1 8 2.500ZM8 2.500V13.500M8 5 10.500 5M8 8H13M8 11H10.500",
  clock: "M8 4.500V8L10.500 9.500M8 2.500A5.500 5.500 0 1 1 8 13.500A5.500 5.500 0 0 1 8 2.500Z",
  unknown: "M8 11.400V11.500M6 6A2 2 0 1 1 8.700 7.900C8.200 8.200 8 8.600 8 9.200",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

/** The sign of an outcome. */
export function outcomeIcon(outcome: string): IconName {
  return Object.hasOwn(PATHS, outcome) ? (outcome as IconName) : "unknown";
}
