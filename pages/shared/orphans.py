"""A fault of Streamlit 1.67, mended: references to sent elements that lose the block they stand in.

An element that the browser has already is sent as a reference, and a reference does not say which fragment drew it.
Before a fragment runs again, Streamlit drops from its queue what the fragment drew and nobody has received yet, but
keeps the references. Their blocks are gone then, the browser has no place for them ("Cannot set a node at a delta
path") and the page stays empty. See docs/decisions/0026-references-without-a-block.md.
"""

from collections.abc import Collection, Sequence
from functools import wraps

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue


def without_orphans(kept: Sequence[ForwardMsg], dropped: Collection[tuple[int, ...]]) -> list[ForwardMsg]:
    """Return the messages that are kept, less references into a block whose message was dropped.

    Args:
        dropped: the paths of the messages that were dropped.
    """
    return [
        message
        for message in kept
        if not (message.HasField("ref_hash") and any(place in dropped for place in _above(message)))
    ]


def _above(message: ForwardMsg) -> list[tuple[int, ...]]:
    """Return the paths of the blocks that a message stands in."""
    path = tuple(message.metadata.delta_path)
    return [path[:depth] for depth in range(1, len(path))]


def drop_orphans() -> None:
    """Let every queue of this process drop references together with their blocks."""
    clear = ForwardMsgQueue.clear
    if getattr(clear, "__wrapped__", None) is not None:
        return

    @wraps(clear)
    def clear_whole(
        queue: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
    ) -> None:
        before = list(queue._queue)
        clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)
        if fragment_ids_this_run:
            kept = set(map(id, queue._queue))
            dropped = {tuple(message.metadata.delta_path) for message in before if id(message) not in kept}
            queue._queue = without_orphans(queue._queue, dropped)

    ForwardMsgQueue.clear = clear_whole
