#!/usr/bin/env python3
"""Writes verify.json, secrets.json, diagnosis.json and dedup.json.

Keys and times are fixed, so that the same packages write the same bytes.
"""

import peers_env

if __name__ == "__main__":
    peers_env.enter()

from rows import (
    accepted,
    dedup,
    diagnosis,
    refused_changes,
    refused_ed25519,
    refused_headers,
    refused_signatures,
    secrets,
)
from rows.providers import PARTS as PROVIDERS
from rows.providers import secrets as provider_secrets
from rows.providers.confirm import check_the_table, confirm
from rows.table import FLAGS, Table, write


def main() -> None:
    table = Table()
    for part in (accepted, refused_headers, refused_signatures, refused_changes, refused_ed25519, *PROVIDERS):
        part.add(table)
    peers_env.install_npm_packages()
    confirmed = confirm(table.rows, peers_env.HERE)
    check_the_table(table.rows, peers_env.HERE)
    negative = sum(not row["expect"]["valid"] for row in table.rows)
    assert negative >= 0.6 * len(table.rows), "at least 60 % of the rows must be refused"
    write(
        peers_env.HERE / "verify.json",
        "Requests, and what verifying them must give. Times are Unix seconds.",
        table.rows,
        FLAGS,
    )
    secret_rows = secrets.rows() + provider_secrets.rows()
    write(
        peers_env.HERE / "secrets.json",
        "Secrets, and what building an endpoint with them must give.",
        secret_rows,
        secrets.FLAGS,
    )
    diagnoses = diagnosis.rows()
    write(
        peers_env.HERE / "diagnosis.json",
        "Refused requests, and the cause that a diagnosis must name. Times are Unix seconds.",
        diagnoses,
        diagnosis.FLAGS,
    )
    sequences = dedup.rows()
    write(
        peers_env.HERE / "dedup.json",
        "Requests one after another at one endpoint, and what it does with each. Times are Unix seconds.",
        sequences,
        dedup.FLAGS,
    )
    print(f"verify {len(table.rows)} rows ({negative} negative), secrets {len(secret_rows)} rows", end=", ")
    print(f"diagnosis {len(diagnoses)} rows, dedup {len(sequences)} rows")
    print(f"{confirmed} good messages of providers confirmed by the packages of others")


if __name__ == "__main__":
    main()
