"""The HTTP application: completions, chat completions, the model's name, its health."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse, Response, StreamingResponse

from hipaudit_runtime.generation.prompts import Language
from hipaudit_runtime.server import errors
from hipaudit_runtime.server.answers import Answers, DisconnectedError
from hipaudit_runtime.server.errors import BodyLimit
from hipaudit_runtime.server.schema import ChatRequest, Common, CompletionRequest, StreamOptions
from hipaudit_runtime.server.shapes import Chat, Completion, Shape, Usage, sse
from hipaudit_runtime.server.worker import Worker

_COMPLETION_TOKENS: Final = 16
"""What OpenAI's API gives to a completion that does not say."""

_CLOSED: Final = 499
"""nginx' status for a client that has gone; nobody reads it."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a client may ask for.

    tokens  of an answer
    body    bytes of a request
    """

    tokens: int = 4096
    body: int = 1 << 20


def create_app(worker: Worker, language: Language, limits: ServerLimits) -> FastAPI:
    """The application over a worker that runs."""
    app = FastAPI(title="hipaudit-run", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(BodyLimit, most=limits.body)
    errors.install(app)
    started = int(time.time())
    ends = language.vocabulary.ends

    @app.get("/health")
    def health() -> JSONResponse:
        if worker.error is not None:
            return errors.answer(503, f"the engine has stopped: {worker.error}")
        return JSONResponse({"status": "ok", "open": worker.open, "stats": asdict(worker.stats)})

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [_model(language.name, started)]}

    @app.get("/v1/models/{name:path}")
    def model(name: str) -> Response:
        if name != language.name:
            return errors.answer(404, f"there is no model {name}, only {language.name}", "model")
        return JSONResponse(_model(name, started))

    @app.post("/v1/completions")
    async def completions(wanted: CompletionRequest, http: HttpRequest) -> Response:
        # Control tokens in a text are those: the client writes all of the prompt.
        prompts = [
            language.prompt(each, markers=True) if isinstance(each, str) else tuple(each)
            for each in wanted.prompts()
        ]
        default = min(_COMPLETION_TOKENS, limits.tokens)
        requests = wanted.requests(prompts, limits.tokens, default, ends)
        answers = Answers(worker, requests, http)
        return await _respond(wanted, answers, Completion(language.name), sum(map(len, prompts)))

    @app.post("/v1/chat/completions")
    async def chat(wanted: ChatRequest, http: HttpRequest) -> Response:
        prompt = language.conversation([message.flat() for message in wanted.messages])
        requests = wanted.requests([prompt], limits.tokens, limits.tokens, ends)
        answers = Answers(worker, requests, http)
        return await _respond(wanted, answers, Chat(language.name), len(prompt))

    return app


async def _respond(wanted: Common, answers: Answers, shape: Shape, prompt: int) -> Response:
    """Answers as the choices of one response, streamed or whole; *prompt* counts its tokens."""
    if wanted.stream:
        stream = _stream(answers, shape, prompt, wanted.stream_options or StreamOptions())
        return StreamingResponse(stream, media_type="text/event-stream")
    try:
        async with answers:
            async for _ in answers.events():
                pass
    except DisconnectedError:
        return Response(status_code=_CLOSED)
    if answers.error is not None:
        return errors.answer(500, str(answers.error))
    usage = Usage(prompt, answers.tokens)
    return JSONResponse(shape.whole(answers.texts, answers.finishes, usage))


async def _stream(
    answers: Answers, shape: Shape, prompt: int, options: StreamOptions
) -> AsyncIterator[str]:
    """The events of a streamed response; an error is the last of them."""
    try:
        async with answers:
            for choice in range(len(answers.texts)):
                for first in shape.opening(choice):
                    yield sse(first)
            async for choice, text, finish in answers.events():
                if text or finish:
                    yield sse(shape.part(choice, text, finish))
    except DisconnectedError:
        return
    if answers.error is not None:
        yield sse(errors.body(500, str(answers.error)))
        return
    if options.include_usage:
        yield sse(shape.closing(Usage(prompt, answers.tokens)))
    yield "data: [DONE]\n\n"


def _model(name: str, started: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": started, "owned_by": "local"}
