"""schemathesis over the OpenAPI description: no server error, no answer that it does not describe."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, given, settings
from osai.chatbot import hanoi, systems
from osai.helpdesk import api, limits
from osai.helpdesk.desk import Desk


def test_no_server_error_and_no_status_that_is_not_described(store):
    shop = hanoi.shops()["bep-ho-guom"]
    app = api.create(Desk(store, shop, lambda: systems.load("faq")), limits.Limits(100_000))
    conversation, session = store.open(shop.name)
    store.say(conversation, "Chào")
    shown = {"X-Session": session, "Authorization": f"Bearer {store.add_agent('Lan (sample)')}"}
    seen = []
    for found in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy())
        def no_error(case):
            response = case.call(headers=shown)
            assert response.status_code < 500, (case, response.text)
            known = case.operation.definition.raw["responses"]
            assert str(response.status_code) in {*known, "400"}, (case, response.status_code)

        no_error()
        seen.append(f"{operation.method} {operation.path}")
    assert len(seen) >= 14
