"""What a handler says about its work: steps, marks, deferred work, and how it gets hold of its delivery."""

import asyncio
import contextvars
import datetime
import decimal
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from signing import SECRET, event, new_id, signed

import surehook
from surehook import testing


def begin(**options) -> surehook.Delivery:
    endpoint = surehook.Endpoint(provider="clerk", signature_secret=SECRET, name=new_id(), **options)
    body = event()
    headers = [(name.encode(), value.encode()) for name, value in signed(body).items()]
    delivery = endpoint.begin(method="POST", path="/", headers=headers, body=body.encode())
    assert isinstance(delivery, surehook.Delivery)
    return delivery


def finish(delivery: surehook.Delivery, status: int = 200) -> surehook.Answer | None:
    return delivery.finish(status=status, headers=[], body=b"")


@pytest.fixture
def captured():
    with testing.capture() as captured:
        yield captured


def test_a_step_is_a_statement_or_a_block_with_its_duration(captured):
    delivery = begin(steps={"user.created": ["create_profile", "send_welcome"]})
    delivery.step("create_profile")
    with delivery.step("send_welcome"):
        threading.Event().wait(0.02)
    finish(delivery)
    attempt = captured.one()
    first, second = attempt["steps"]
    assert (first["name"], second["name"]) == ("create_profile", "send_welcome")
    assert "duration_us" not in first
    assert 20_000 <= second["duration_us"] < 2_000_000
    assert attempt["outcome"] == "processed"


def test_a_step_whose_block_raises_was_not_done(captured):
    delivery = begin(steps={"user.created": ["create_profile"]})
    with pytest.raises(LookupError, match="gone"), delivery.step("create_profile"):
        raise LookupError("gone")
    finish(delivery)
    attempt = captured.one()
    assert (attempt["outcome"], attempt["missing_steps"]) == ("silent_drop", ["create_profile"])
    (step,) = attempt["steps"]
    assert (step["error"]["type"], step["error"]["message"]) == ("LookupError", "gone")


def test_an_async_block_is_a_step_too_and_a_cancelled_one_was_not_done(captured):
    delivery = begin()

    async def work():
        async with delivery.step("quick"):
            await asyncio.sleep(0)

        async def slow():
            async with delivery.step("slow"):
                await asyncio.sleep(60)

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(slow(), 0.01)

    asyncio.run(work())
    finish(delivery)
    quick, slow = captured.one()["steps"]
    assert "error" not in quick
    assert slow["error"]["type"].endswith("CancelledError")


def test_a_step_that_is_open_when_the_delivery_ends_is_not_done(captured):
    delivery = begin(steps={"user.created": ["create_profile"]})
    with delivery.step("create_profile"):
        finish(delivery)
    assert captured.one()["missing_steps"] == ["create_profile"]


def test_failed_tells_a_reason_and_values(captured):
    delivery = begin()
    delivery.failed("no such plan", plan="gold", tries=3, user={"id": "user_1"})
    finish(delivery)
    attempt = captured.one()
    assert (attempt["outcome"], attempt["failure"]["reason"]) == ("failed", "no such plan")
    assert attempt["metadata"] == {
        "plan": "gold",
        "tries": 3,
        "user": {"id": "user_1"},
    }


class Hostile:
    """Raises whatever is asked of it."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __str__(self):
        raise self.error

    __repr__ = __str__


class Odd:
    def __str__(self):
        return "odd \ud800"


class Changing(dict):
    """Changes the dict that it is in."""

    def __str__(self):
        self["again"] = self
        return "changed"


def circular() -> list:
    values: list = [1]
    values.append({"back": values})
    return values


def web() -> object:
    """2**30 ways lead to the bottom of it, and no circle."""
    value: object = "bottom"
    for _ in range(30):
        value = {"left": value, "right": value}
    return value


def nested(depth: int) -> object:
    value: object = "bottom"
    for _ in range(depth):
        value = [value]
    return value


NO_JSON = {
    "nan": (float("nan"), "nan"),
    "infinity": (float("-inf"), "-inf"),
    "long": (2**70, str(2**70)),
    "too long to be written": (10**5000, "[unreadable]"),
    "bytes": (b"\xff", "b'\\xff'"),
    "surrogate": ("a\ud800b", "a\ufffd\ufffd\ufffdb"),
    "date": (datetime.date(2026, 11, 29), "2026-11-29"),
    "decimal": (decimal.Decimal("1.50"), "1.50"),
    "uuid": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "set": ({1}, "{1}"),
    "raises": (Hostile(RuntimeError("no")), "[unreadable]"),
    "exits": (Hostile(SystemExit(3)), "[unreadable]"),
    "interrupts": (Hostile(KeyboardInterrupt()), "[unreadable]"),
    "odd": (Odd(), "odd \ufffd\ufffd\ufffd"),
    "circular": (circular(), [1, {"back": "[circular]"}]),
    "tuple": ((1, None, True, 1.5), [1, None, True, 1.5]),
    "unsigned": (2**64 - 1, 2**64 - 1),
    "names": ({1: "one", None: "none", ("a",): "tuple"}, {"1": "one", "None": "none", "('a',)": "tuple"}),
}


@pytest.mark.parametrize("kind", NO_JSON)
def test_a_value_that_json_does_not_have_is_told_by_its_text(captured, kind):
    value, told = NO_JSON[kind]
    delivery = begin()
    delivery.failed("no", value=value, next="is there")
    finish(delivery)
    assert captured.one()["metadata"] == {"value": told, "next": "is there"}


@pytest.mark.parametrize(
    "value",
    [
        nested(100_000),
        web(),
        [None] * 10_000_000,
        Changing(a=Odd()),
        ["x" * 1000] * 100_000,
        "\U0001f600" * 1_000_000,
        {"k" * 100_000: 1},
    ],
    ids=["nested", "web", "nothing", "changing", "wide", "long", "name"],
)
def test_values_without_an_end_cost_little_and_raise_nothing(captured, value):
    delivery = begin()
    delivery.failed("no", value=value)
    finish(delivery)
    attempt = captured.one()
    assert attempt["failure"]["reason"] == "no"
    assert len(json.dumps(attempt["metadata"])) < 20_000


@pytest.mark.parametrize("name", [None, 5, b"bytes", "a\ud800", Hostile(ValueError("no")), "", "x" * 10_000])
def test_a_name_of_any_kind_is_recorded_and_raises_nothing(captured, name):
    delivery = begin()
    delivery.step(name)
    with delivery.step(name):
        pass
    delivery.failed(name)
    finish(delivery)
    attempt = captured.one()
    assert len(attempt["steps"]) == 2
    assert all(len(step["name"]) <= 200 for step in attempt["steps"])
    assert attempt["outcome"] == "failed"


def test_ten_thousand_steps_are_bounded_and_the_last_still_counts(captured):
    delivery = begin(steps={"user.created": ["step 150", "the last"]})
    for number in range(10_000):
        delivery.step(f"step {number % 300}")
    with delivery.step("the last"):
        pass
    finish(delivery)
    attempt = captured.one()
    assert attempt["outcome"] == "processed"
    assert len(attempt["steps"]) == 200


@pytest.mark.parametrize(
    "error", [OSError("a\ud800b"), Hostile, UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")]
)
def test_an_error_with_any_text_is_recorded_and_not_hidden(captured, error):
    if error is Hostile:
        error = type("HostileError", (Exception,), {"__str__": lambda self: 1 / 0})()
    delivery = begin()
    delivery.fail(error)
    assert captured.one()["failure"]["error"]["type"].endswith(type(error).__name__)


def test_deferred_work_is_marked_in_any_place_later(captured):
    delivery = begin(steps={"user.created": ["create_profile", "send_welcome"]})
    delivery.step("create_profile")
    token = delivery.defer(datetime.timedelta(minutes=5))
    finish(delivery, 202)
    first = captured.one()
    assert first["outcome"] == "deferred"
    assert first["deferred_until"] > first["received_at"] + 299e6
    captured.clear()

    with surehook.deferred(token) as work:
        assert work.event_type == "user.created"
        assert work.message_id == first["message_id"]
        assert work.entity_id == "user_1"
        with work.step("send_welcome"):
            pass
    later = captured.one()
    assert (later["outcome"], later["continues"]) == ("processed", first["id"])
    assert "missing_steps" not in later


def test_deferred_work_that_raises_failed_and_the_first_mark_counts(captured):
    delivery = begin()
    token = delivery.defer(60)
    finish(delivery)
    captured.clear()
    with pytest.raises(LookupError), surehook.deferred(token):
        raise LookupError("gone")
    assert captured.one()["failure"]["error"]["type"] == "LookupError"
    captured.clear()

    async def later():
        async with surehook.deferred(token) as work:
            work.failed("no such plan", plan="gold")

    asyncio.run(later())
    assert captured.one()["failure"]["reason"] == "no such plan"
    assert captured.one()["metadata"] == {"plan": "gold"}
    captured.clear()
    surehook.deferred(token).step("begun")
    assert captured.attempts == [], "it may be tried again"


@pytest.mark.parametrize("deadline", [0, -1, 0.5, 7 * 24 * 3600 + 1, float("nan"), float("inf"), 10**400])
def test_a_deadline_out_of_its_range_is_refused(deadline):
    with pytest.raises(surehook.ConfigurationError):
        begin().defer(deadline)


@pytest.mark.parametrize("deadline", ["60", None, [60]])
def test_a_deadline_that_is_no_number_is_a_type_error(deadline):
    with pytest.raises(TypeError, match="the option deadline must be a number"):
        begin().defer(deadline)


def test_a_delivery_that_has_ended_cannot_be_deferred():
    delivery = begin()
    finish(delivery)
    with pytest.raises(surehook.ConfigurationError, match="has ended"):
        delivery.defer(60)


@pytest.mark.parametrize("token", ["", "no token", "a\ud800", "x" * 100_000, "shd1.e30"])
def test_a_text_that_is_no_token_is_refused(token):
    with pytest.raises(surehook.ConfigurationError):
        surehook.deferred(token)


def deep(levels: int) -> surehook.Delivery | None:
    """Code far below a view."""
    return surehook.current_delivery() if levels == 0 else deep(levels - 1)


def test_the_delivery_is_found_deep_below_in_tasks_and_in_threads_with_its_context():
    delivery = begin()
    assert deep(50) is None
    with delivery.current():
        assert deep(50) is delivery
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(deep, 50).result() is None, "a thread has a context of its own"
            assert pool.submit(contextvars.copy_context().run, deep, 50).result() is delivery

        async def tasks():
            async def task():
                await asyncio.sleep(0)
                return deep(50)

            return await asyncio.gather(task(), asyncio.create_task(task()), asyncio.to_thread(deep, 50))

        assert asyncio.run(tasks()) == [delivery] * 3
    assert deep(50) is None


def test_each_of_many_concurrent_deliveries_finds_its_own():
    async def handle(delivery):
        with delivery.current():
            for _ in range(10):
                await asyncio.sleep(0)
                assert deep(10) is delivery

    async def all_of_them():
        await asyncio.gather(*(handle(begin()) for _ in range(50)))

    asyncio.run(all_of_them())
