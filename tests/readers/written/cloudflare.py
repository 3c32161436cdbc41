"""Cloudflare AI Gateway: the REST API's rows with bodies, and Logpush with encrypted fields."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from written import Rows, Written
from written._shapes import chat_request, chat_response, columns, lines, said
from written.canonical import json_lines_bare

_CARRIES = columns(
    """exchange_id time account organization client_address user_agent request_model system prompt
    response input_tokens output_tokens max_tokens status finish_reason temperature stream"""
)


def _metadata(row: dict[str, Any]) -> dict[str, Any]:
    return said(
        account=row["account"],
        organization=row["organization"],
        client_ip=row["client_address"],
        user_agent=row["user_agent"],
    )


def _rest(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield said(
            id=row["exchange_id"],
            created_at=row["time"],
            provider="openai",
            model=row["request_model"] or "",
            cached=False,
            success=True,
            metadata=orjson.dumps(_metadata(row)).decode(),
            tokens_in=row["input_tokens"],
            tokens_out=row["output_tokens"],
            status_code=row["status"],
            request=chat_request(row),
            response=chat_response(row),
        )


def _write_rest(rows: Rows, folder: Path) -> list[Path]:
    return lines(folder, _rest(rows))


def _pushed(rows: Rows) -> Iterator[dict[str, Any]]:
    seal = _sealer()
    for row in rows:
        yield said(
            Id=row["exchange_id"],
            Datetime=row["time"],
            Gateway="mine",
            Provider="openai",
            Model=row["request_model"] or "",
            StatusCode=row["status"],
            Metadata=seal(_metadata(row)),
            RequestBody=seal(chat_request(row)),
            ResponseBody=seal(chat_response(row)),
        )


@cache
def _key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, 2048)


def _sealer() -> Any:
    """Seal as Cloudflare documents it, with one wrapped key for all: unwrapping is what takes long."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sha256 = hashes.SHA256()
    secret = AESGCM.generate_key(256)
    oaep = padding.OAEP(padding.MGF1(sha256), sha256, None)
    wrapped = base64.b64encode(_key().public_key().encrypt(secret, oaep)).decode()
    cipher = AESGCM(secret)

    def seal(value: Any) -> dict[str, str] | None:
        if value is None:
            return None
        iv = os.urandom(12)
        data = cipher.encrypt(iv, orjson.dumps(value), None)
        return {
            "type": "encrypted",
            "key": wrapped,
            "iv": base64.b64encode(iv).decode(),
            "data": base64.b64encode(data).decode(),
        }

    return seal


def _write_pushed(rows: Rows, folder: Path) -> list[Path]:
    return lines(folder, _pushed(rows))


def _options(folder: Path) -> dict[str, Any]:
    from cryptography.hazmat.primitives import serialization

    path = folder.parent / "logpush.pem"
    path.write_bytes(
        _key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {"logpush_key": path}


_REST = Written("cloudflare (REST)", "cloudflare", _CARRIES, _write_rest, json_lines_bare)
_LOGPUSH = Written(
    "cloudflare (Logpush)", "cloudflare", _CARRIES, _write_pushed, json_lines_bare, _options
)
try:
    import cryptography  # noqa: F401 - an extra

    FORMATS: tuple[Written, ...] = (_REST, _LOGPUSH)
except ImportError:
    FORMATS = (_REST,)
