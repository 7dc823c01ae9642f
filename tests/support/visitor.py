"""A visitor of the page without a browser: speaks Streamlit's protocol over its WebSocket."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


@dataclass
class Visitor:
    """One open page.

    Attributes:
        url: of the page.
        socket: to its server.
        session: its id in Streamlit.
        components: the components on the page: id, fragment and data by their names.
    """

    url: str
    socket: ClientConnection
    session: str = ""
    components: dict[str, tuple[str, str, Any]] = field(default_factory=dict)

    @property
    def live(self) -> str:
        """Where the page's script posts its live frames."""
        return self.components["reader"][2]["url"]

    async def draw(self, png: bytes) -> dict[str, Any]:
        """Send what the canvas holds after a stroke; give what the answer beside it then shows."""
        url = "data:image/png;base64," + base64.b64encode(png).decode()
        drawing = {"raw": {"objects": [{"type": "Path"}]}, "data": url}
        canvas, fragment, _ = self.components["canvas"]
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.json_value = canvas, json.dumps({"drawing": drawing})
        await self.run(message)
        return self.components["reader"][2]["view"]

    async def run(self, message: BackMsg) -> None:
        """Let the script run, and take in what it shows."""
        await self.socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(await self.socket.recv())
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
        url = self.url.partition("/digits")[0] + self.live
        headers = {"Content-Type": "image/png"}
        statuses = []
        with requests.Session() as session:
            for frame in frames:
                due = time.perf_counter() + every
                answer = await asyncio.to_thread(session.post, url, frame, headers=headers)
                statuses.append(answer.status_code)
                pause = 3 * every if "Retry-After" in answer.headers else due - time.perf_counter()
                await asyncio.sleep(pause)
        return statuses

    def upload(self, file: bytes, number: int) -> None:
        """Upload a file that no part of the page asked for."""
        url = f"{self.url}/_stcore/upload_file/{self.session}/{number}"
        with requests.Session() as session:
            session.get(f"{self.url}/_stcore/health", timeout=10)
            headers = {"X-Xsrftoken": session.cookies["_streamlit_xsrf"]}
            answer = session.put(url, files={"file": file}, headers=headers, timeout=30)
            assert answer.status_code == 204, answer.text


@asynccontextmanager
async def visit(url: str) -> AsyncIterator[Visitor]:
    """Open the page at an address."""
    address = url.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(address, subprotocols=["streamlit"], max_size=None) as socket:
        visitor, first = Visitor(url, socket), BackMsg()
        first.rerun_script.query_string = ""
        await visitor.run(first)
        yield visitor
