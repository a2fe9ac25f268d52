"""As much of a W&B server as a run needs: it takes everything and forgets it. Prints its port."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROJECT = {"id": "p", "name": "lab", "entity": {"id": "e", "name": "me"}}
BUCKET = {
    "id": "b",
    "name": "r",
    "displayName": "r",
    "config": "{}",
    "historyLineCount": 0,
    "logLineCount": 0,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply({"data": self._data(json.loads(body))} if self.path == "/graphql" else {})

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply({})

    do_PUT = do_GET

    def log_message(self, *_: Any) -> None:
        pass

    def _data(self, question: dict[str, Any]) -> dict[str, Any]:
        query, variables = question["query"], question.get("variables") or {}
        if "upsertBucket" in query:
            return {"upsertBucket": {"bucket": {**BUCKET, "project": PROJECT}, "inserted": True}}
        if "createRunFiles" in query:
            base = f"http://127.0.0.1:{self.server.server_address[1]}/up/"
            files = [{"name": one, "uploadUrl": base + one} for one in variables["files"]]
            return {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}
        return {}

    def _reply(self, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    import sys

    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
