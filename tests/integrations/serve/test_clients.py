"""Clients of the OpenAI API, unchanged from their packages, against a running server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

from genrun.model import Model
from support.serving import served


@pytest.fixture(scope="module")
def client(server: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0)


def test_the_client_lists_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["talker", "endless"]
    assert client.models.retrieve("talker").owned_by == "genrun"


def test_completions_are_the_texts_of_the_library(client: openai.OpenAI, talker: Model) -> None:
    answer = client.completions.create(
        model="talker", prompt=["the council", "what"], n=3, seed=7, max_tokens=9, logprobs=2, echo=True
    )
    results = talker.generate_many(["the council", "what"], n=3, seed=7, max_new_tokens=9)
    assert [choice.text for choice in answer.choices] == [result.text for result in results]
    assert answer.usage is not None
    assert answer.usage.completion_tokens == sum(len(result.ids) for result in results)
    logs = answer.choices[0].logprobs
    assert logs is not None
    assert logs.tokens is not None
    assert logs.text_offset is not None
    for token, offset in zip(logs.tokens[1:], logs.text_offset[1:], strict=True):
        assert token == "<end>" or answer.choices[0].text[offset:].startswith(token)


def test_a_stream_has_the_same_text_and_its_usage(client: openai.OpenAI, talker: Model) -> None:
    options: Any = {"model": "talker", "prompt": "the", "seed": 3, "stop": ["word12"], "n": 2}
    stream = client.completions.create(**options, stream=True, stream_options={"include_usage": True})
    texts, usage = ["", ""], None
    for event in stream:
        for choice in event.choices:
            texts[choice.index] += choice.text
        usage = event.usage or usage
    results = talker.generate_many(["the"], n=2, seed=3, stop=["word12"])
    assert texts == [result.continuation for result in results]
    assert usage is not None
    assert usage.completion_tokens == sum(len(result.ids) for result in results)


def test_many_asynchronous_calls_share_steps_and_keep_their_texts(server: Any, talker: Model) -> None:
    async def main() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{server.address}/v1", api_key="none") as client:

            async def one(seed: int) -> str:
                if seed % 2:
                    answer = await client.completions.create(model="talker", prompt="what", seed=seed)
                    return str(answer.choices[0].text)
                stream = await client.completions.create(model="talker", prompt="what", seed=seed, stream=True)
                return "".join([event.choices[0].text async for event in stream])

            return list(await asyncio.gather(*[one(seed) for seed in range(64)]))

    wanted = [talker.generate_many(["what"], seed=seed)[0].continuation for seed in range(64)]
    assert asyncio.run(main()) == wanted


def test_a_chat_continues_the_last_message(client: openai.OpenAI, talker: Model) -> None:
    wanted = talker.generate_many(["the mayor"], seed=5)[0].continuation
    options: Any = {"model": "talker", "messages": [{"role": "user", "content": "the mayor"}], "seed": 5}
    answer = client.chat.completions.create(**options, logprobs=True, top_logprobs=3)
    assert answer.choices[0].message.content == wanted
    stream = client.chat.completions.create(**options, stream=True)
    assert "".join(event.choices[0].delta.content or "" for event in stream) == wanted


def test_errors_have_the_classes_of_the_client(client: openai.OpenAI, server: Any) -> None:
    with pytest.raises(openai.NotFoundError, match="there is no model 'talkr'"):
        client.completions.create(model="talkr", prompt="the")
    with pytest.raises(openai.BadRequestError, match="'suffix' is not supported"):
        client.completions.create(model="talker", prompt="the", suffix="x")
    with pytest.raises(openai.BadRequestError, match="'tools' is not supported"):
        client.chat.completions.create(model="talker", messages=[{"role": "user", "content": "a"}], tools=[])


def test_a_key_and_a_full_queue_have_the_classes_of_the_client(serve: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("s3cret")
    with serve("--key-file", key, "--rows", 1, "--queue", 0, "--log", "none") as running:
        address = f"{running.address}/v1"
        with pytest.raises(openai.AuthenticationError):
            openai.OpenAI(base_url=address, api_key="wrong", max_retries=0).models.list()
        client = openai.OpenAI(base_url=address, api_key="s3cret", max_retries=0)
        held = client.completions.create(model="endless", prompt="a", max_tokens=4096, stream=True)
        next(iter(held))
        with pytest.raises(openai.RateLimitError) as raised:
            client.completions.create(model="endless", prompt="a")
        assert int(raised.value.response.headers["retry-after"]) >= 1
        held.close()
        patient = openai.OpenAI(base_url=address, api_key="s3cret", max_retries=5)
        assert patient.completions.create(model="endless", prompt="a", max_tokens=2).choices[0].text == " b c"


def test_litellm_completes(server: Any, talker: Model) -> None:
    program = (
        "import litellm, sys\n"
        "answer = litellm.text_completion(model='text-completion-openai/talker', prompt='the', seed=3,\n"
        "    api_base=sys.argv[1], api_key='none', max_tokens=6)\n"
        "print(answer.choices[0].text)"
    )
    command = [sys.executable, "-c", program, f"{server.address}/v1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == talker.generate_many(["the"], seed=3, max_new_tokens=6)[0].continuation


@pytest.mark.parametrize("count", [1, 2])
def test_schemathesis_finds_no_failure(talker_file: Path, endless_file: Path, tmp_path: Path, count: int) -> None:
    """All checks. A schema cannot say which values go together, so one model refuses some bodies that fit it."""
    excluded = ["--exclude-checks", "positive_data_acceptance"] if count == 1 else []
    limits = ["--new-tokens", 20, "--texts", 2, "--prompt-tokens", 100, "--log", "none"]
    with served(*[talker_file, endless_file][:count], *limits) as running:
        command = [Path(sys.executable).parent / "schemathesis", "run", f"{running.address}/openapi.json"]
        options = ["--checks", "all", *excluded, "--max-examples", "10", "--generation-deterministic"]
        done = subprocess.run([*map(str, [*command, *options])], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr
        assert running.get("/livez") == '{"status":"ok"}'
