"""References to elements are dropped from Streamlit's queue together with the blocks they stand in."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_cache import create_reference_msg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.shared import orphans

Path = tuple[int, ...]


def block(path: Path, fragment: str) -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path[:] = path
    message.delta.add_block.SetInParent()
    message.delta.fragment_id = fragment
    return message


def reference(path: Path, fragment: str) -> ForwardMsg:
    message = ForwardMsg(hash="of an element that was sent before")
    message.metadata.delta_path[:] = path
    message.delta.new_element.text.body = "large"
    message.delta.fragment_id = fragment
    return create_reference_msg(message)


def paths_after(clear_for: list[str] | None, *messages: ForwardMsg) -> list[Path]:
    """Return the paths of what is still sent when fragments run again before anything was received."""
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=clear_for)
    return [tuple(message.metadata.delta_path) for message in queue.flush()]


@pytest.fixture
def plain_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the queue be as Streamlit made it, whatever tests before did."""
    clear = ForwardMsgQueue.clear
    monkeypatch.setattr(ForwardMsgQueue, "clear", getattr(clear, "__wrapped__", clear))


@pytest.mark.usefixtures("plain_clear")
def test_a_reference_goes_with_its_block() -> None:
    drawn = (block((0, 3), "polled"), block((0, 3, 0), "polled"), reference((0, 3, 0, 0), "polled"))
    assert paths_after(["polled"], *drawn) == [(0, 3, 0, 0)]  # Streamlit's fault; when this fails, orphans.py can go
    orphans.drop_orphans()
    assert paths_after(["polled"], *drawn) == []


@pytest.mark.usefixtures("plain_clear")
def test_what_keeps_its_place_is_kept() -> None:
    orphans.drop_orphans()
    patched = ForwardMsgQueue.clear
    orphans.drop_orphans()
    assert ForwardMsgQueue.clear is patched  # once
    others = (block((0, 1), ""), reference((0, 1, 0), ""), block((0, 2), "other"), reference((0, 2, 0), "other"))
    assert paths_after(["polled"], *others) == [(0, 1), (0, 1, 0), (0, 2), (0, 2, 0)]
    received = (reference((0, 3, 0), "polled"),)  # its block is in the browser
    assert paths_after(["polled"], *received) == [(0, 3, 0)]
    assert paths_after(None, *others) == []  # the whole page is drawn again
