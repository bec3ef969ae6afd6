"""hipaudit-run serve: OpenAI's API over a model."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from hipaudit_runtime.cli.opening import Drafting, opened
from hipaudit_runtime.cli.options import (
    CacheFormat,
    CacheStorage,
    CacheTokens,
    DraftFile,
    DraftTokens,
    ModelFile,
)
from hipaudit_runtime.cli.terminal import note
from hipaudit_runtime.server.app import ServerLimits, create_app
from hipaudit_runtime.server.serving import listen, serve
from hipaudit_runtime.server.worker import Worker

_TOKENS = 8192
_EPILOG = (
    "Examples:\n\n"
    "hipaudit-run serve --model m.gguf\n\n"
    "curl http://127.0.0.1:8000/v1/completions -H 'Content-Type: application/json' "
    '-d \'{"prompt": "The capital of France is", "max_tokens": 8}\''
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", epilog=_EPILOG, help=_command.__doc__)(_command)


def _command(
    context: typer.Context,
    model: ModelFile,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    sequences: Annotated[
        int, typer.Option(min=1, max=1024, help="Requests that run at the same time.")
    ] = 8,
    queue: Annotated[
        int, typer.Option(min=0, help="Requests that may wait; beyond, the answer is 429.")
    ] = 64,
    step_tokens: Annotated[
        int, typer.Option(min=1, help="Tokens a batch, prompts in pieces among them.")
    ] = 256,
    max_tokens: Annotated[int, typer.Option(min=1, help="The most that a client may ask for.")] = (
        4096
    ),
    max_body: Annotated[int, typer.Option(min=1, help="Bytes of a request.")] = 1 << 20,
    cache_tokens: CacheTokens = None,
    cache_format: CacheStorage = CacheFormat.FLOAT16,
    draft_model: DraftFile = None,
    draft_tokens: DraftTokens = 4,
) -> None:
    """Serve /v1/completions, /v1/chat/completions, /v1/models and /health, without a key."""
    listening = listen(host, port)
    with listening, opened(context, model, Drafting(draft_model, draft_tokens)) as ready:
        room = cache_tokens or min(ready.model.context * sequences, _TOKENS)
        with (
            ready.engine(room, cache_format, sequences, step_tokens) as engine,
            Worker(engine, ready.device.ordinal, sequences + queue) as worker,
        ):
            app = create_app(worker, ready.language, ServerLimits(max_tokens, max_body))
            shown, bound = listening.getsockname()[:2]
            if not ipaddress.ip_address(shown).is_loopback:
                note(f"hipaudit-run: anybody who reaches {shown} can use this server")
            place = f"[{shown}]" if ":" in shown else shown
            note(f"Serving {ready.language.name} at http://{place}:{bound}/v1")
            serve(app, listening)
