"""What the scripts of this folder share."""

import asyncio
import json
import os
import sys
import tty


def publish(folder, **where):
    """Says in peer.json where it can be reached, at once and whole."""
    draft = folder / "peer.json.new"
    draft.write_text(json.dumps(where), encoding="ascii")
    draft.rename(folder / "peer.json")


async def input_ends():
    """Returns when standard input ends, and so with whoever started the script."""
    ended = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set_result, None)
    await ended


class Terminals:
    """Two pseudo terminals for a relay to stand between: the node opens one, a server the other."""

    def __init__(self):
        # The far ends stay open here, so that a line stays up when nobody else has it open.
        self.node, self.node_end = os.openpty()
        self.server, self.server_end = os.openpty()
        for end in (self.node_end, self.server_end):
            tty.setraw(end)
        self.for_node = os.ttyname(self.node_end)
        self.for_server = os.ttyname(self.server_end)
