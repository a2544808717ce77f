"""One real server with real workers, and a page that complains about its console."""

from __future__ import annotations

import pytest
from served import Served, Visitor


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("served"))
    yield served
    served.close()


@pytest.fixture(scope="module")
def visitor(server, browser):
    """A visitor whose page all tests of a module share, for a page costs seconds."""
    visitor = Visitor(server, browser)
    visitor.open()
    yield visitor
    visitor.pause()
    visitor.close()


@pytest.fixture(autouse=True)
def _nothing_in_the_console(request):
    yield
    if "visitor" in request.fixturenames:
        visitor = request.getfixturevalue("visitor")
        complaints = visitor.complaints()
        if complaints and all("isn't known" in complaint for complaint in complaints):
            # On a busy machine a patch can reach BokehJS before its model: the page must heal.
            visitor.page.wait_for_timeout(3_000)
            complaints = visitor.complaints()
        assert complaints == []
