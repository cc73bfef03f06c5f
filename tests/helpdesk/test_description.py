"""schemathesis over the OpenAPI description: no server error, no answer that it does not describe."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from osai.chatbot import hanoi, systems
from osai.helpdesk import api, limits
from osai.helpdesk.desk import Desk
from osai.helpdesk.store import Store


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    store = Store(f"sqlite:///{folder / 'desk.sqlite'}")
    shop = hanoi.shops()["bep-ho-guom"]
    app = api.create(Desk(store, shop, lambda: systems.load("faq")), limits.Limits(10_000))
    conversation, session = store.open(shop.name)
    store.say(conversation, "Chào")
    token = store.add_agent("Lan (sample)")
    from starlette.testclient import TestClient

    with TestClient(app):
        loaded = schemathesis.openapi.from_asgi("/openapi.json", app)
        loaded.config.update(headers={"X-Session": session, "Authorization": f"Bearer {token}"})
        yield loaded
    store.dispose()


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_server_error(case):
    response = case.call()
    case.validate_response(response, checks=[schemathesis.checks.not_a_server_error])
