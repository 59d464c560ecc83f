#!/usr/bin/env python3
"""Writes verify.json and secrets.json. Keys and times are fixed, so that the same packages write the same bytes."""

import peers_env

if __name__ == "__main__":
    peers_env.enter()

from rows import accepted, refused_changes, refused_ed25519, refused_headers, refused_signatures, secrets
from rows.table import FLAGS, Table, write


def main() -> None:
    table = Table()
    for part in (accepted, refused_headers, refused_signatures, refused_changes, refused_ed25519):
        part.add(table)
    negative = sum(not row["expect"]["valid"] for row in table.rows)
    assert negative >= 0.6 * len(table.rows), "at least 60 % of the rows must be refused"
    write(
        peers_env.HERE / "verify.json",
        "Requests, and what verifying them must give. Times are Unix seconds.",
        table.rows,
        FLAGS,
    )
    secret_rows = secrets.rows()
    write(
        peers_env.HERE / "secrets.json",
        "Secrets, and what building an endpoint with them must give.",
        secret_rows,
        secrets.FLAGS,
    )
    print(f"verify {len(table.rows)} rows ({negative} negative), secrets {len(secret_rows)} rows")


if __name__ == "__main__":
    main()
