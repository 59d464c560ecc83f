import type { JSX } from "preact";
import { PageHeading } from "../components/PageHeading.tsx";

export function NotFoundPage(): JSX.Element {
  return (
    <section class="notice">
      <PageHeading title="Not found">There is no such page</PageHeading>
      <p><a class="button" href="/">Overview</a></p>
    </section>
  );
}
