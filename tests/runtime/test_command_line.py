"""hipaudit-run as a program: what it writes, where, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import openai
import pytest
from tiny_file import write_tiny

from hipaudit.audits.model_dequantisation import default_model
from hipaudit.device import Device
from hipaudit_runtime.generation.engine import CacheSize, Engine
from hipaudit_runtime.generation.prompts import read_language
from hipaudit_runtime.generation.requests import Request
from hipaudit_runtime.models import Transformer
from hipaudit_runtime.weights import open_gguf

pytestmark = pytest.mark.runtime

PROGRAM = [sys.executable, "-c", "from hipaudit.hosted import main; main()"]
EXEC = [sys.executable, "-m", "hipaudit", "exec", "--plain"]
ENVIRONMENT = dict(os.environ) | {"HIPAUDIT_DEVICE": "emulated", "PYTHONUNBUFFERED": "1"}
PROMPT = "ab a"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("models") / "tiny.gguf")


def ran(*arguments: object, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
        env=ENVIRONMENT,
    )


def said(device: Device, file: Path, prompt: str, count: int) -> str:
    """The same in this process."""
    weights = open_gguf(file)
    language = read_language(weights)
    with (
        Transformer(weights, device) as loaded,
        Engine(loaded, language.vocabulary.piece, cache=CacheSize(8, 16)) as engine,
    ):
        engine.submit(Request(language.prompt(prompt), count, stop_tokens=language.vocabulary.ends))
        text = ""
        while engine.busy:
            text += "".join(event.text for event in engine.step())
        return text


def test_the_continuation_and_nothing_else(device: Device, model: Path) -> None:
    """And the same with a draft, and up to a stop text."""
    want = said(device, model, PROMPT, 24)
    asked = ("generate", "--model", model, "--prompt", PROMPT, "--max-tokens", 24)
    plain = ran(*asked)
    assert (plain.returncode, plain.stdout, plain.stderr) == (0, want, "")
    drafted = ran(*asked, "--draft-model", model, "--stats")
    assert (drafted.returncode, drafted.stdout) == (0, want)
    assert "answer 24 tokens" in drafted.stderr
    accepted = re.search(r"draft (\d+) of (\d+) accepted", drafted.stderr)
    assert accepted is not None
    assert accepted[1] == accepted[2]
    stopped = ran(*asked, "--stop", want[6:8], "--stop", "never said")
    assert stopped.stdout == want[: want.index(want[6:8])]


def test_a_seed_makes_the_answer(model: Path) -> None:
    asked = ("generate", "--model", model, "--prompt", PROMPT, "--max-tokens", 30)
    texts = [
        ran(*asked, "--temperature", 1.2, "--top-p", 0.95, "--seed", seed).stdout
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [("<&-", 0, ""), (">&-", 1, "hipaudit-run: Bad file descriptor\n"), ("2>&-", 0, "")],
)
def test_a_standard_stream_that_is_closed(model: Path, closed: str, code: int, said: str) -> None:
    words = (*PROGRAM, "generate", "--model", str(model), "--prompt", PROMPT, "--max-tokens", "2")
    result = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *words],
        capture_output=True, encoding="utf-8", timeout=100, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (code, said)
    assert bool(result.stdout) == (code == 0)


def test_a_conversation_without_an_input(model: Path) -> None:
    words = (*PROGRAM, "chat", "--model", str(model))
    result = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *words],
        capture_output=True, encoding="utf-8", timeout=100, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_what_cannot_be_used_is_one_sentence(model: Path, tmp_path: Path) -> None:
    junk = tmp_path / "junk.gguf"
    junk.write_bytes(b"no weights at all")
    other = write_tiny(tmp_path / "other.gguf", keys={"general.architecture": "mamba"})
    part = write_tiny(tmp_path / "part.gguf", leave_out="blk.1.attn_k.weight")
    cases: list[tuple[tuple[object, ...], str]] = [
        (("--model", tmp_path / "none.gguf", "--prompt", "a"), "no weights file .*none.gguf"),
        (("--model", junk, "--prompt", "a"), "junk.gguf is not a GGUF file"),
        (("--model", other, "--prompt", "a"), "is a mamba model; known are llama"),
        (("--model", part, "--prompt", "a"), "has no tensor blk.1.attn_k.weight"),
        (("--model", model, "--prompt", "b " * 100), "prompt has 201 tokens, and 128 is all"),
        (("--model", model, "--prompt", "a", "--temperature", "inf"), "temperature is inf"),
        (("--model", model, "--prompt", "a", "--stop", ""), "a stop text is empty"),
        (
            ("--model", model, "--prompt", "a\udcff"),
            r"character 1 of the text is no Unicode: .\\udcff",
        ),
        (("--model", model, "--prompt", "a", "--stop", "\udcff"), r"stop text '\\udcff' is no"),
        (("--model", "\033[31m", "--prompt", "a"), r"no weights file \\x1b\[31m"),
    ]
    for arguments, message in cases:
        result = ran("generate", *arguments)
        assert re.search(message, result.stderr), result.stderr
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("hipaudit-run: ")
        assert result.stderr.count("\n") == 1


def test_a_benchmark_that_cannot_be(model: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "none" / "x.json"
    cases: list[tuple[tuple[object, ...], str]] = [
        (("--prompt-tokens", 200), "answers of 32 are 232, and the model's context is 128"),
        (("--new-tokens", 100), "prompts of 128 tokens and answers of 100 are 228"),
        (("--json", nowhere), f"--json {nowhere}: there is no such folder"),
        (("--requests", 10**6), "less than or equal to 1024"),
    ]
    for arguments, message in cases:
        result = ran("bench", "--model", model, *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr


def test_a_cache_beyond_all_memory(model: Path) -> None:
    """It is refused by the device, and no table of its pages fills the host's memory before."""
    result = ran("chat", "--model", model, "--cache-tokens", 1 << 40)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(
        r"hipaudit-run: hipMalloc failed with hipErrorOutOfMemory \(2\): \d+ bytes\n", result.stderr
    )


def test_a_full_disk_is_one_sentence(model: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        result = subprocess.run(
            [*PROGRAM, "generate", "--model", str(model), "--prompt", PROMPT],
            stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, timeout=60,
            check=False,
        )  # fmt: skip
    assert (result.returncode, result.stderr) == (1, "hipaudit-run: No space left on device\n")


def test_a_missing_option_is_a_usage_error() -> None:
    result = ran("generate", "--prompt", "a")
    assert (result.returncode, result.stdout) == (2, "")
    assert "Missing option '--model'" in result.stderr


@pytest.mark.parametrize("command", ["generate", "chat", "serve", "bench"])
def test_help_has_an_example(command: str) -> None:
    result = ran(command, "--help")
    assert result.returncode == 0
    assert f"hipaudit-run {command} --model m.gguf" in result.stdout


def test_a_conversation_of_lines(model: Path) -> None:
    lines = "ab\n\na\n/new\nab\n" + "b " * 120 + "\n"
    asked = ("chat", "--model", model, "--max-tokens", 5, "--temperature", 0, "--stats")
    result = ran(*asked, text=lines)
    assert result.returncode == 0
    first, second, again, *rest = result.stdout.split("\n")
    assert first == again
    assert second != first
    assert rest == [""]
    assert "prompt has 274 tokens, and 128 is all" in result.stderr
    assert "/new begins another conversation" in result.stderr
    assert re.search(r"\(\d+ known\)", result.stderr) is None, "fewer than 16 tokens in common"


def test_a_file_without_a_template_cannot_chat(tmp_path: Path) -> None:
    file = write_tiny(tmp_path / "t.gguf", keys={"tokenizer.chat_template": "{% for %}"})
    result = ran("chat", "--model", file)
    assert (result.returncode, result.stdout) == (2, "")
    assert "the chat template does not parse" in result.stderr


def test_the_benchmark_in_figures(model: Path) -> None:
    result = ran(
        "bench", "--model", model, "--requests", 2, "--prompt-tokens", 20, "--new-tokens", 6,
        "--repeat", 1, "--json", "-",
    )  # fmt: skip
    assert result.returncode == 0
    figures = json.loads(result.stdout)
    assert (figures["model"], figures["requests"], figures["repeat"]) == ("tiny", 2, 1)
    assert figures["prefill_tokens_per_second"] > 0
    assert figures["decode_tokens_per_second"] > 0


def findings(path: Path) -> list[str]:
    return [each["kind"] for each in json.loads(path.read_text())["findings"]
            if each["severity"] != "info"]  # fmt: skip


def test_ctrl_c_leaves_nothing_behind(model: Path, tmp_path: Path) -> None:
    journal = tmp_path / "findings.json"
    asked = ["generate", "--model", str(model), "--prompt", PROMPT]
    process = subprocess.Popen(
        [*EXEC, "--json", str(journal), "--", *PROGRAM, *asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.read(1)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert b"Traceback" not in output + errors
    assert findings(journal) == []


@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.5, 2.5])
@pytest.mark.parametrize("command", ["chat", "serve"])
def test_ctrl_c_at_any_moment(model: Path, command: str, seconds: float) -> None:
    """Among them, while modules are imported, which takes a second or more."""
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from hipaudit.hosted import main; print('up', flush=True); main()"
    )
    more = ["--port", "0"] if command == "serve" else []
    process = subprocess.Popen(
        [sys.executable, "-c", program, command, "--model", str(model), *more],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors


def test_a_reader_that_has_enough(model: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "generate", "--model", str(model), "--prompt", PROMPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(1)
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serving_until_told_to_end(model: Path, tmp_path: Path, end: signal.Signals) -> None:
    journal = tmp_path / "findings.json"
    asked = ["serve", "--model", str(model), "--port", "0"]
    process = subprocess.Popen(
        [*EXEC, "--json", str(journal), "--", *PROGRAM, *asked],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        # What runs in a shell's background ignores interrupts, and so would the program.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stderr.readline().decode()
    address = re.fullmatch(r"Serving tiny at (http://127.0.0.1:\d+/v1)\n", line)
    assert address is not None, line
    client = openai.OpenAI(base_url=address[1], api_key="none", max_retries=0)
    assert client.completions.create(model="tiny", prompt=PROMPT, max_tokens=4).choices
    stream = client.completions.create(model="tiny", prompt=PROMPT, max_tokens=100, stream=True)
    next(iter(stream))
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(child), end)
    stream.close()
    client.close()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[end], errors
    assert b"Traceback" not in errors
    assert findings(journal) == []


def test_the_end_of_a_server_with_a_client_that_sends_half_a_request(model: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--model", str(model), "--port", "0"],
        stderr=subprocess.PIPE, encoding="utf-8", env=ENVIRONMENT,
        # A suite in the background of a shell ignores the signal, and so would the server.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )  # fmt: skip
    assert process.stderr is not None
    place = re.search(r"Serving tiny at http://([0-9.]+):(\d+)/v1", process.stderr.readline())
    assert place is not None
    with socket.create_connection((place[1], int(place[2]))) as half:
        half.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_a_port_that_is_taken(model: Path) -> None:
    asked = ("serve", "--model", model, "--host", "203.0.113.1", "--port", 1)
    result = ran(*asked)
    assert result.returncode == 2
    assert "cannot listen on 203.0.113.1:1" in result.stderr


def test_a_real_model() -> None:
    """The console program, without a word about devices."""
    asked = ("--prompt", "The capital of France is", "--max-tokens", 2, "--temperature", 0)
    result = ran("generate", "--model", default_model(), *asked)
    assert (result.returncode, result.stdout) == (0, " Paris.")
