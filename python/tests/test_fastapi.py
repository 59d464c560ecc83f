"""What only FastAPI has: dependencies, body models, response models, included routers, the schema."""

import asyncio
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from servers import HTTP
from signing import SECRET, event, new_id, signed

import surehook
from surehook.fastapi import with_webhook_monitoring


def post(server, path, body, **options):
    return HTTP.post(
        f"{server.url}{path}", content=body, headers=signed(body, **options) | options.get("extra", {})
    )


def test_models_dependencies_and_the_response_model_work_in_a_sync_handler(fastapi_server):
    answer = post(fastapi_server, "/hooks/model", event(entity="user_7"))
    assert (answer.status_code, answer.json()) == (201, {"id": "acme:user_7", "run": 1})


def test_a_body_that_fails_its_model_gets_422_only_when_it_is_signed(fastapi_server):
    body = '{"type":5}'
    assert post(fastapi_server, "/hooks/model", body).status_code == 422
    assert post(fastapi_server, "/hooks/model", body, secret="whsec_" + "A" * 32).status_code == 401
    assert post(fastapi_server, "/hooks/model", "no json", secret="whsec_" + "A" * 32).status_code == 401


def test_path_parameters_and_response_settings_work_in_an_included_router(fastapi_server):
    body, message_id = event(entity="user_8"), new_id()
    first = post(fastapi_server, "/included/ada/model", body, message_id=message_id)
    assert first.json() == {"id": "ada:user_8"}
    assert first.headers["x-from"] == "dependency"
    retry = post(fastapi_server, "/included/ada/model", body, message_id=message_id)
    assert (retry.content, retry.headers["idempotent-replayed"]) == (first.content, "true")


def test_an_exception_that_the_application_turns_into_200_is_still_a_failure(fastapi_server):
    body, message_id = event(), new_id()
    for run in (1, 2):
        assert post(fastapi_server, "/hooks/odd", body, message_id=message_id).json() == {"odd": True}
        assert HTTP.get(f"{fastapi_server.url}/runs").json()[message_id] == run


def test_the_schema_shows_what_the_handler_answers(fastapi_server):
    schema = HTTP.get(f"{fastapi_server.url}/openapi.json").json()
    answers = schema["paths"]["/hooks/model"]["post"]["responses"]
    assert answers["201"]["content"]["application/json"]["schema"]["$ref"].endswith("/Stored")


def test_the_middleware_leaves_other_methods_alone(fastapi_server):
    assert HTTP.get(f"{fastapi_server.url}/middleware/plain").json() == {"delivery": False}


def test_dependency_overrides_reach_the_handler():
    app = FastAPI()

    def user() -> str:
        return "real"

    @app.post("/")
    @with_webhook_monitoring(provider="clerk", signature_secret=SECRET, name="overrides", dedup="off")
    async def handler(request: Request, who: Annotated[str, Depends(user)]):
        return who

    app.dependency_overrides[user] = lambda: "fake"
    body = event()

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/", content=body, headers=signed(body))

    assert asyncio.run(send()).json() == "fake"


def test_a_generator_is_refused_as_a_handler():
    def handler():
        yield 1

    with pytest.raises(TypeError, match="return"):
        with_webhook_monitoring(provider="clerk", signature_secret=SECRET)(handler)


def test_the_wrapped_handler_keeps_its_name():
    @with_webhook_monitoring(provider="clerk", signature_secret=SECRET)
    async def clerk_webhook(request: Request) -> dict[str, bool]:
        """Keeps users in step."""

    assert (clerk_webhook.__name__, clerk_webhook.__doc__) == ("clerk_webhook", "Keeps users in step.")
    assert surehook.current_delivery() is None
