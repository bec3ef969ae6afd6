"""The server, with OpenAI's own client: what it answers, refuses, and calls off."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from hash_model import HashModel
from tiny_language import tiny_language

from hipaudit.audits.model_dequantisation import default_model
from hipaudit.device import Device
from hipaudit_runtime.errors import HipError, RuntimeFault
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.prompts import Language, read_language
from hipaudit_runtime.generation.requests import Event, Request
from hipaudit_runtime.generation.scheduler import Limits
from hipaudit_runtime.language_model import Step
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.server.app import ServerLimits, create_app
from hipaudit_runtime.server.serving import http_server, listen
from hipaudit_runtime.server.worker import Worker
from hipaudit_runtime.weights import open_gguf

pytestmark = pytest.mark.runtime

CHAT: Any = [{"role": "user", "content": "ab a"}]


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs, and what is behind it."""

    model: HashModel
    language: Language
    engine: Engine
    worker: Worker
    port: int

    @property
    def client(self) -> openai.OpenAI:
        """OpenAI's client, which does not try again."""
        base = f"http://127.0.0.1:{self.port}/v1"
        return openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=30)

    def answer(self, request: Request) -> str:
        """What an engine that has nothing else to do says."""
        model = HashModel(self.model.device, self.model.vocabulary_size, self.model.context)
        with Engine(model, self.language.vocabulary.piece, cache=CacheSize(64, 4)) as engine:
            engine.submit(request)
            return "".join(event.text for event in drained(engine))

    def wait_until_idle(self) -> None:
        """Until every request has ended or was called off."""
        deadline = time.monotonic() + 20
        while self.worker.open:
            assert time.monotonic() < deadline, f"{self.worker.open} requests are still open"
            time.sleep(0.01)


def drained(engine: Engine) -> Iterator[Event]:
    while engine.busy:
        yield from engine.step()


def nothing(steps: Sequence[Step]) -> None:
    del steps


@contextmanager
def served(
    device: Device,
    before: Callable[[Sequence[Step]], None] = nothing,
    most: int = 40,
    limits: ServerLimits | None = None,
) -> Iterator[Served]:
    language = tiny_language()
    model = HashModel(device, len(language.vocabulary), 128, before=before)
    with (
        Engine(
            model, language.vocabulary.piece, limits=Limits(4, 32), cache=CacheSize(64, 4)
        ) as engine,
        listened(engine, language, most, limits or ServerLimits(tokens=100)) as (worker, port),
    ):
        yield Served(model, language, engine, worker, port)


@contextmanager
def listened(
    engine: Engine, language: Language, most: int, limits: ServerLimits
) -> Iterator[tuple[Worker, int]]:
    """A server over an engine, in threads of its own; nothing is left in it at the end."""
    listening = listen("127.0.0.1", 0)
    with Worker(engine, 0, most) as worker:
        server = http_server(create_app(worker, language, limits))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield worker, listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
            listening.close()
    assert worker.error is None
    assert worker.open == 0
    assert not engine.busy


def test_a_completion(device: Device) -> None:
    with served(device) as server:
        answer = server.client.completions.create(
            model="tiny", prompt="ab", max_tokens=9, temperature=0
        )
        want = server.answer(Request(server.language.prompt("ab"), 9))
    assert answer.object == "text_completion"
    assert answer.choices[0].text == want
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 9)


def test_several_prompts_and_answers(device: Device) -> None:
    with served(device) as server:
        answer = server.client.completions.create(
            model="tiny", prompt=["ab", "b"], max_tokens=5, temperature=1.5, n=2, seed=3
        )
        tokens = server.client.completions.create(
            model="tiny", prompt=[1, 7, 8], max_tokens=5, temperature=0
        )
        texts = [choice.text for choice in answer.choices]
        assert (
            texts[3]
            == server.client.completions.create(
                model="tiny", prompt="b", max_tokens=5, temperature=1.5, seed=6
            )
            .choices[0]
            .text
        )
        assert tokens.choices[0].text == server.answer(Request((1, 7, 8), 5))
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert len(set(texts)) == 4


def test_a_streamed_conversation(device: Device) -> None:
    with served(device) as server:
        whole = server.client.chat.completions.create(
            model="tiny", messages=CHAT, max_completion_tokens=20, temperature=0
        )
        chunks = list(
            server.client.chat.completions.create(
                model="tiny", messages=CHAT, max_tokens=20, temperature=0, stream=True,
                stream_options={"include_usage": True},
            )
        )  # fmt: skip
        prompt = server.language.conversation(CHAT)
        want = server.answer(Request(prompt, 20, stop_tokens=server.language.vocabulary.ends))
    assert whole.choices[0].message.content == want
    assert whole.choices[0].message.role == "assistant"
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == want
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage


def test_clients_at_once_with_some_that_leave(device: Device) -> None:
    """8 clients, half of which hang up in the middle, each several times."""
    with served(device) as server:

        def ask(number: int) -> None:
            client = server.client
            for turn in range(3):
                prompt = "ab " * (number + turn + 1)
                asked: dict[str, Any] = {
                    "model": "tiny",
                    "prompt": prompt,
                    "max_tokens": 30,
                    "seed": number,
                }
                stream = client.completions.create(**asked, stream=True)
                if (number + turn) % 2:
                    next(iter(stream))
                    stream.close()
                    continue
                request = server.language.prompt(prompt)
                text = "".join(chunk.choices[0].text for chunk in stream)
                answers[number, turn] = (request, number, text)

        answers: dict[tuple[int, int], tuple[tuple[int, ...], int, str]] = {}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(8)))
        server.wait_until_idle()
        stats = server.engine.stats
    assert len(answers) == 12
    assert stats.requests == 24
    assert stats.cancelled > 0
    with served(device) as server:
        for prompt, seed, text in answers.values():
            again = server.client.completions.create(
                model="tiny", prompt=list(prompt), max_tokens=30, seed=seed
            )
            assert again.choices[0].text == text


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_while_its_prompt_waits(device: Device, stream: bool) -> None:
    go_on = threading.Event()

    def wait(steps: Sequence[Step]) -> None:
        del steps
        assert go_on.wait(20)

    with served(device, wait) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        body = json.dumps({"prompt": "a", "max_tokens": 100, "stream": stream})
        connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        deadline = time.monotonic() + 20
        while not server.worker.open and time.monotonic() < deadline:
            time.sleep(0.01)
        connection.close()
        time.sleep(0.3)
        go_on.set()
        server.wait_until_idle()
        assert server.engine.stats.cancelled == 1
        assert server.engine.stats.generated_tokens < 10


def test_more_requests_than_may_wait(device: Device) -> None:
    go_on = threading.Event()

    def wait(steps: Sequence[Step]) -> None:
        del steps
        assert go_on.wait(20)

    with served(device, wait, most=2) as server:
        client = server.client
        with ThreadPoolExecutor(2) as pool:
            asked = [
                pool.submit(client.completions.create, model="tiny", prompt="a", max_tokens=2)
                for _ in range(2)
            ]
            while server.worker.open < 2:
                time.sleep(0.01)
            with pytest.raises(openai.RateLimitError, match="2 requests are open"):
                client.completions.create(model="tiny", prompt="a", max_tokens=2)
            go_on.set()
            assert all(each.result().choices[0].finish_reason for each in asked)
        assert client.completions.create(model="tiny", prompt="a", max_tokens=2).choices


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"prompt": "a" * 200}, "the prompt has .* tokens, and 128 is all"),
        ({"max_tokens": 101}, "max_tokens is 101, and this server gives at most 100"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        ({"temperature": -1}, "temperature is -1.0, outside 0 to 10000"),
        ({"top_p": 1.5}, "top_p is 1.5, outside 0 to 1"),
        ({"logprobs": 3}, "logprobs is not supported"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [1, 1000]}, "token 1000, which is outside 0 to 268"),
        ({"stop": ""}, "stop: String should have at least 1 character"),
        ({"stop": ["x"] * 17}, "stop: List should have at most 16 items"),
        ({"stop": 5}, "stop: Input should be a valid string"),
    ],
)
def test_a_request_that_cannot_be_served(device: Device, asked: dict[str, Any], said: str) -> None:
    with served(device) as server:
        with pytest.raises(openai.BadRequestError, match=said) as caught:
            server.client.completions.create(**({"model": "tiny", "prompt": "a"} | asked))
        assert isinstance(caught.value.body, dict)
        assert caught.value.body["type"] == "invalid_request_error"
        assert server.client.completions.create(model="tiny", prompt="a").choices


def test_a_picture_is_named_as_what_cannot_be_served(device: Device) -> None:
    parts: Any = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]
    with served(device) as server, pytest.raises(openai.BadRequestError) as refused:
        server.client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": parts}]
        )
    assert "messages.0.content.1.type: Input should be 'text'" in refused.value.message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Field required"),
        (b"{", "JSON decode error"),
        (b"[]", "valid dictionary"),
        (b"\xff\xfe\0", "error parsing the body"),
        (b"[" * 200_000, "error parsing the body"),
        (b'{"prompt": "a", "temperature": NaN}', "temperature is nan"),
        (b'{"prompt": "a", "temperature": 1e999}', "temperature is inf"),
        (b'{"prompt": "a", "max_tokens": 1%s}' % (b"0" * 30), "this server gives at most 100"),
        (b'{"prompt": [1%s]}' % (b"0" * 30), "the prompt has the token 1000"),
        (b'{"prompt": "ab\\ud800"}', "character 2 of the text is no Unicode"),
        (b'{"prompt": "a", "stop": "\\udc00"}', "unicode"),
        (b'{"prompt": [%s "a"]}' % (b'"a",' * 80), "81 answers are asked for, and 40 is all"),
    ],
)
def test_a_body_that_means_harm(device: Device, body: bytes, said: str) -> None:
    with served(device, limits=ServerLimits(tokens=100)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("POST", "/v1/completions", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = json.loads(answer.read())["error"]
        connection.close()
        assert (answer.status, told["type"]) == (400, "invalid_request_error")
        assert said in told["message"]
        assert server.worker.open == 0
        assert server.client.completions.create(model="tiny", prompt="a").choices


def test_what_is_no_request(device: Device) -> None:
    with served(device, limits=ServerLimits(tokens=10, body=1000)) as server:
        client = server.client
        assert [model.id for model in client.models.list()] == ["tiny"]
        assert client.models.retrieve("tiny").object == "model"
        with pytest.raises(openai.NotFoundError, match="no model other, only tiny"):
            client.models.retrieve("other")
        with pytest.raises(openai.NotFoundError, match="Not Found: POST /v1/embeddings"):
            client.embeddings.create(model="tiny", input="a")
        with pytest.raises(openai.APIStatusError, match="larger than 1,000 bytes") as caught:
            client.completions.create(model="tiny", prompt="a" * 1000)
        assert caught.value.status_code == 413
        tools: Any = [{"type": "function", "function": {"name": "f"}}]
        with pytest.raises(openai.BadRequestError, match="tools is not supported"):
            client.chat.completions.create(model="tiny", messages=CHAT, tools=tools)
        picture: Any = [{"role": "user", "content": [{"type": "image_url"}]}]
        with pytest.raises(openai.BadRequestError, match=r"messages\.0\.content"):
            client.chat.completions.create(model="tiny", messages=picture)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/health")
        assert json.loads(connection.getresponse().read())["status"] == "ok"
        connection.close()


def test_an_error_of_the_device_is_told_and_the_next_request_works(device: Device) -> None:
    broken = True

    def fail(steps: Sequence[Step]) -> None:
        del steps
        if broken:
            raise HipError("hipMalloc", "hipErrorOutOfMemory", 2)

    with served(device, fail) as server:
        with pytest.raises(openai.InternalServerError, match="hipMalloc failed"):
            server.client.completions.create(model="tiny", prompt="a")
        stream = server.client.completions.create(model="tiny", prompt="a", stream=True)
        with pytest.raises(openai.APIError, match="hipMalloc failed"):
            list(stream)
        broken = False
        assert server.client.completions.create(model="tiny", prompt="a").choices


def test_an_engine_that_breaks_tells_everybody(device: Device) -> None:
    """Those that it has begun, and those that it has not."""
    runs, go_on = threading.Event(), threading.Event()

    def break_down(steps: Sequence[Step]) -> None:
        runs.set()
        assert go_on.wait(20)
        raise TypeError(f"{len(steps)} steps")

    model = HashModel(device, before=break_down)
    heard: list[Event] = []
    with (
        Engine(model, lambda _: b"", cache=CacheSize(8, 4)) as engine,
        Worker(engine, device.ordinal, 2) as worker,
    ):
        worker.submit(Request((1,), 2), heard.append)
        assert runs.wait(20)
        worker.submit(Request((2,), 2), heard.append)
        go_on.set()
        deadline = time.monotonic() + 20
        while worker.open and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(RuntimeFault, match="the engine has stopped: 1 steps"):
            worker.submit(Request((1,), 2), heard.append)
    assert [type(event.error) for event in heard] == [TypeError, TypeError]


def test_a_real_model_with_clients_that_leave(device: Device) -> None:
    """A conversation each, 8 at once: every other hangs up in its second answer."""
    weights = open_gguf(default_model())
    language = read_language(weights)
    with (
        Transformer(weights, device) as model,
        Engine(
            model, language.vocabulary.piece, limits=Limits(8, 64), cache=CacheSize(48, 16)
        ) as engine,
        listened(engine, language, 8, ServerLimits()) as (worker, port),
    ):
        base = f"http://127.0.0.1:{port}/v1"

        def talk(number: int) -> str:
            with openai.OpenAI(base_url=base, api_key="none", max_retries=0) as client:
                messages: Any = [{"role": "user", "content": f"Say {number}."}]
                asked: dict[str, Any] = {"model": "m", "max_tokens": 3, "seed": number}
                first = client.chat.completions.create(messages=messages, **asked)
                said = first.choices[0].message.content or ""
                messages += [
                    {"role": "assistant", "content": said}, {"role": "user", "content": "Again."},
                ]  # fmt: skip
                stream = client.chat.completions.create(messages=messages, stream=True, **asked)
                if number % 2:
                    next(iter(stream))
                    stream.close()
                    return said
                return said + "".join(each.choices[0].delta.content or "" for each in stream)

        with ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(talk, range(8)))
        deadline = time.monotonic() + 60
        while worker.open and time.monotonic() < deadline:
            time.sleep(0.01)
        stats = engine.stats
    assert all(texts)
    assert stats.requests == 16
    assert stats.failed == 0
    # The template's own first message is the same in all conversations.
    assert stats.reused_tokens >= 8 * 16
