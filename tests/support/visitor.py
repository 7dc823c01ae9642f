"""A visitor of the page without a browser: speaks Streamlit's protocol over its WebSocket."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


@dataclass
class Visitor:
    """One open page.

    Attributes:
        session: its id in Streamlit.
        components: the components on the page: id, fragment and data by their names.
        uploads: how many files it has uploaded.
        transferred: bytes of all messages, both ways.
    """

    url: str
    socket: ClientConnection
    session: str = ""
    components: dict[str, tuple[str, str, Any]] = field(default_factory=dict)
    uploads: int = 0
    transferred: int = 0

    @property
    def live(self) -> str:
        """Where the page's script posts its live frames."""
        return self.components["reader"][2]["url"]

    async def draw(self, png: bytes, strokes: int = 1) -> dict[str, Any]:
        """Send what the canvas holds after a stroke; give what the answer beside it then shows."""
        url = "data:image/png;base64," + base64.b64encode(png).decode()
        await self.send_canvas({"raw": {"objects": [{"type": "Path"}] * strokes}, "data": url})
        return self.components["reader"][2]["view"]

    async def send_canvas(self, drawing: dict[str, Any]) -> None:
        """Send a state of the canvas, and let its part of the page run."""
        canvas, fragment, _ = self.components["canvas"]
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.json_value = canvas, json.dumps({"drawing": drawing})
        await self.run(message)

    async def run(self, message: BackMsg) -> None:
        """Let the script run, and take in what it shows."""
        sent = message.SerializeToString()
        self.transferred += len(sent)
        await self.socket.send(sent)
        while True:
            received = await self.socket.recv()
            self.transferred += len(received)
            answer = ForwardMsg.FromString(received)
            if answer.HasField("new_session"):
                self.session = answer.new_session.initialize.session_id
            element = answer.delta.new_element
            if element.HasField("bidi_component"):
                shown = element.bidi_component
                name = "reader" if shown.component_name == "reader" else "canvas"
                self.components[name] = shown.id, answer.delta.fragment_id, json.loads(shown.json)
            if answer.HasField("script_finished"):
                return

    async def post_frames(self, frames: list[bytes], every: float) -> list[int]:
        """Post the frames of a stroke as the browser does, so many seconds apart; give statuses."""
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST {self.live} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: image/png\r\n"
        statuses = []
        for frame in frames:
            begun = asyncio.get_running_loop().time()
            writer.write(f"{head}Content-Length: {len(frame)}\r\n\r\n".encode() + frame)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            statuses.append(int(answer.split()[1]))
            length = answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            pause = begun + every - asyncio.get_running_loop().time()
            await asyncio.sleep(3 * every if b"retry-after" in answer else max(pause, 0))
        writer.close()
        return statuses

    async def upload(self, file: bytes) -> None:
        """Upload a file that no part of the page asked for."""
        self.uploads += 1
        url = f"{self.url}/_stcore/upload_file/{self.session}/{self.uploads}"

        def put() -> None:
            with requests.Session() as session:
                session.get(f"{self.url}/_stcore/health", timeout=10)
                headers = {"X-Xsrftoken": session.cookies["_streamlit_xsrf"]}
                answer = session.put(url, files={"file": file}, headers=headers, timeout=30)
                assert answer.status_code == 204, answer.text

        await asyncio.to_thread(put)


@asynccontextmanager
async def visit(url: str) -> AsyncIterator[Visitor]:
    """Open the page at an address."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(address, subprotocols=["streamlit"], max_size=None) as socket:
        visitor, first = Visitor(url, socket), BackMsg()
        first.rerun_script.query_string = ""
        await visitor.run(first)
        yield visitor
