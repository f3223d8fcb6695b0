import itertools
import os

import pytest

from resp import Resp
from server import BINARY, Server


def pytest_sessionstart(session):
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"no martlet at {BINARY}: run scripts/build, or name one in MARTLET_BINARY", returncode=1)


@pytest.fixture
def server():
    """A server of this test's own, with default options; stopped afterwards, exit 0 asserted."""
    with Server() as running:
        yield running


@pytest.fixture(scope="module")
def shared():
    """One server for the tests of a file that neither count nor clear what it holds: each works on keys of its own."""
    with Server() as running:
        yield running


@pytest.fixture
def connect(server):
    """Opens RESP connections to the server of the test, closed afterwards."""
    opened = []

    def make():
        opened.append(Resp(server.listeners["resp"]))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


KEYS = itertools.count(1)


@pytest.fixture
def key():
    """A key that no other test uses, in no need of percent-encoding."""
    return f"key-{next(KEYS)}"


@pytest.fixture
def start():
    """Starts servers with options of the test's choosing. Afterwards each is stopped, exit 0 asserted, unless the test itself
    awaited its end: a server that died unseen fails the test."""
    begun = []

    def begin(*options, env=None, http="127.0.0.1:0", descriptor_limit=None):
        begun.append(Server(options, env=env, http=http, descriptor_limit=descriptor_limit))
        return begun[-1].start()

    yield begin
    failures = []
    for one in begun:
        if one.process is None or one.end_awaited:
            continue
        try:
            one.stop()
        except AssertionError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)  # stable: the rest keeps its order
