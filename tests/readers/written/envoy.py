"""Lines of Envoy's access log."""

from __future__ import annotations

from pathlib import Path

import orjson

from written import Rows, Written
from written.canonical import json_lines_bare

_CARRIED = frozenset(
    {
        "exchange_id", "time", "account", "client_address", "tls_fingerprint", "user_agent",
        "request_model", "input_tokens", "output_tokens", "status",
    }
)  # fmt: skip


def _write(rows: Rows, folder: Path) -> list[Path]:
    path = folder / "access.jsonl"
    lines = []
    for row in rows:
        address = row["client_address"]
        line = {
            "start_time": row["time"].isoformat().replace("+00:00", "Z"),
            "method": "POST",
            "x-envoy-origin-path": "/v1/chat/completions",
            "protocol": "HTTP/2",
            "response_code": row["status"],
            "response_flags": "-",
            "response_code_details": "via_upstream",
            "x-forwarded-for": address,
            "downstream_remote_address": None if address is None else f"{address}:49152",
            "user-agent": row["user_agent"],
            "x-request-id": row["exchange_id"],
            "x-user-id": row["account"],
            "tls_ja4_fingerprint": row["tls_fingerprint"],
            "gen_ai.request.model": row["request_model"],
            "gen_ai.usage.input_tokens": row["input_tokens"],
            "gen_ai.usage.output_tokens": row["output_tokens"],
            "upstream_host": "192.0.2.1:443",
            "upstream_cluster": "models",
            "route_name": "models",
        }
        lines.append(orjson.dumps(line) + b"\n")
    path.write_bytes(b"".join(lines))
    return [path]


FORMATS = (Written("envoy", "envoy", _CARRIED, _write, json_lines_bare),)
