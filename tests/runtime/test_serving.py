"""The server answers in the shape of the OpenAI API, with the texts of the library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

import genrun
from genrun.model import Model
from genrun.serving.app import create_app
from genrun.serving.limits import Limits
from genrun.serving.page import page_routes
from support.alphabet import write_babble


@pytest.fixture(scope="module")
def babble(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The model of that name whose graph chooses; that of the other tests comes twice, with and without."""
    return genrun.load(write_babble(tmp_path_factory.mktemp("served") / "babble.onnx", choosing=True), device="cpu")


@pytest.fixture(scope="module")
def client(babble: Model, alphabet: Model) -> Iterator[TestClient]:
    limits = Limits(new_tokens=50, prompt_tokens=40, texts=8)
    app = create_app({"babble": babble, "alphabet": alphabet}, limits)
    with TestClient(app, base_url="http://localhost") as made:
        yield made


def post(client: TestClient, path: str = "/v1/completions", **body: Any) -> dict[str, Any]:
    answer = client.post(path, json={"model": "babble", **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(client: TestClient, path: str = "/v1/completions", status: int = 400, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json={"model": "babble", **body})
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def streamed(client: TestClient, path: str = "/v1/completions", **body: Any) -> list[dict[str, Any]]:
    answer = client.post(path, json={"model": "babble", "stream": True, **body})
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, end = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert end == "[DONE]"
    return [json.loads(event) for event in events]


PROMPTS = st.sampled_from(["", "i", "you don’t", "love , love", "Stop dragons"])
BODIES = st.fixed_dictionaries(
    {"prompt": st.lists(PROMPTS, min_size=1, max_size=3), "seed": st.integers(0, 2**64 - 1)},
    optional={
        "n": st.integers(1, 2),
        "max_tokens": st.integers(1, 12),
        "stop": st.sampled_from(["love", ["you", "."]]),
        "decoder": st.sampled_from(["greedy", "top-k:3", "min-p:0.1,temperature:0.8"]),
        "casing": st.sampled_from(["none", "title"]),
    },
)


@hypothesis.given(BODIES, st.booleans())
@hypothesis.settings(max_examples=15)
def test_a_text_over_http_is_the_text_alone_streamed_or_not(
    client: TestClient, babble: Model, body: dict[str, Any], echo: bool
) -> None:
    choices = {"max_new_tokens": body.get("max_tokens"), "decoder": body.get("decoder"), "seed": body["seed"]}
    choices |= {"stop": body.get("stop", ()), "casing": body.get("casing")}
    alone = [babble.generate_many([prompt], n=body.get("n", 1), **choices) for prompt in body["prompt"]]
    wanted = [result.text if echo else result.continuation for results in alone for result in results]
    answer = post(client, **body, echo=echo)
    assert [choice["text"] for choice in answer["choices"]] == wanted
    assert [choice["index"] for choice in answer["choices"]] == list(range(len(wanted)))
    assert {choice["genrun"]["seed"] for choice in answer["choices"]} == {body["seed"]}
    pieces = [""] * len(wanted)
    for event in streamed(client, **body, echo=echo, stream_options={"include_usage": True}):
        for choice in event["choices"]:
            pieces[choice["index"]] += choice["text"]
    assert pieces == wanted
    assert event["usage"] == answer["usage"]
    assert answer["usage"]["completion_tokens"] == sum(len(result.ids) for each in alone for result in each)


def test_a_prompt_of_ids_is_the_prompt_of_its_text(client: TestClient, babble: Model) -> None:
    ids = post(client, "/tokenize", prompt="you don’t")["tokens"]
    assert ids == list(babble.tokenizer.encode_prompt("you don’t").ids)
    as_text, as_ids, as_lists = (
        post(client, prompt=prompt, seed=3, logprobs=1, echo=True) for prompt in ("you don’t", ids, [ids])
    )
    assert as_text["choices"] == as_ids["choices"] == as_lists["choices"]
    assert post(client, "/detokenize", tokens=ids) == {"prompt": "you don’t"}


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("stop", [[], ["love"]])
def test_logprobs_are_those_of_the_model_with_places_in_the_text(
    client: TestClient, babble: Model, echo: bool, stop: list[str]
) -> None:
    body: dict[str, Any] = {"prompt": "You dragons stop", "seed": 5, "echo": echo, "logprobs": 2, "stop": stop}
    [choice] = post(client, **body)["choices"]
    [result] = babble.generate_many(["You dragons stop"], seed=5, stop=stop)
    logs, text = choice["logprobs"], choice["text"]
    lists = [logs[name] for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")]
    assert len({len(each) for each in lists}) == 1
    for token, _, top, offset in zip(*lists, strict=True):
        if token not in babble.tokenizer.vocabulary[:4]:
            assert text[offset:].lower().startswith(token[: len(text) - offset])  # a stop text may cut it off
        assert top is None or token in top
        assert top is None or 2 <= len(top) <= 3
    assert [top is None for top in logs["top_logprobs"]] == [log is None for log in logs["token_logprobs"]]
    new = logs["token_logprobs"][-len(result.ids) :] if not stop else []
    assert sum(new) == (pytest.approx(result.log_probability, rel=1e-5) if not stop else 0)
    chunks = [c["logprobs"] for event in streamed(client, **body) for c in event["choices"] if c["logprobs"]]
    assert {name: [x for chunk in chunks for x in chunk[name]] for name in logs} == logs


def test_no_new_token_with_echo_scores_the_prompt(client: TestClient, babble: Model) -> None:
    [choice] = post(client, prompt="love you", max_tokens=0, echo=True, logprobs=0)["choices"]
    assert choice["text"] == "love you"
    assert choice["logprobs"]["tokens"] == ["<start>", "love", " you"]
    scores = babble.score("love you").token_log_probabilities
    assert choice["logprobs"]["token_logprobs"] == [None, *map(pytest.approx, scores[:2])]
    assert post(client, prompt="love you", max_tokens=0)["usage"]["completion_tokens"] == 0


def test_best_of_answers_the_likeliest_texts_a_token(client: TestClient, babble: Model) -> None:
    results = babble.generate_many(["i"], n=6, seed=1)
    best = sorted(results, key=lambda result: -result.log_probability / len(result.ids))[:2]
    choices = post(client, prompt="i", n=2, best_of=6, seed=1)["choices"]
    assert [choice["text"] for choice in choices] == [result.continuation for result in best]
    assert [choice["genrun"]["sample"] for choice in choices] == [result.sample for result in best]


@pytest.mark.parametrize(
    ("fields", "chain"),
    [
        ({"temperature": 0}, "greedy"),
        ({"temperature": 0.7}, "temperature:0.7"),
        ({"temperature": 1, "top_p": 0.5, "top_k": -1, "min_p": 0}, "top-p:0.5,draw"),
        ({"top_k": 3, "temperature": 0.5, "min_p": 0.1}, "temperature:0.5,top-k:3,min-p:0.1"),
        ({"presence_penalty": 1.5}, "presence:penalty=1.5;window=0,temperature:1.5"),
        ({"frequency_penalty": 1, "temperature": 0}, "frequency:penalty=1;window=0,greedy"),
        ({"repetition_penalty": 2}, "repetition:penalty=2;window=0,temperature:1.5"),
        ({"frequency_penalty": 0, "presence_penalty": 0}, None),
    ],
)
def test_the_fields_of_other_servers_are_a_chain(
    client: TestClient, babble: Model, fields: dict[str, Any], chain: str | None
) -> None:
    results = babble.generate_many(["i"], n=4, seed=2, decoder=chain)
    choices = post(client, prompt="i", n=4, seed=2, **fields)["choices"]
    assert [choice["text"] for choice in choices] == [result.continuation for result in results]


def test_a_bias_forbids_and_forces_tokens(client: TestClient, babble: Model) -> None:
    love, you = (babble.tokenizer.vocabulary.index(word) for word in ("love", "you"))
    texts = post(client, prompt="i", n=8, logit_bias={str(love): -100}, seed=0)["choices"]
    assert not any("love" in choice["text"] for choice in texts)
    forced = post(client, prompt="i", max_tokens=3, logit_bias={str(you): 100}, temperature=0)["choices"]
    assert forced[0]["text"] == " you you you"
    assert refused(client, prompt="i", logit_bias={"99": 1})["param"] == "logit_bias"


def test_constraints_and_searches_are_those_of_the_library(client: TestClient, babble: Model) -> None:
    constrained = post(client, prompt="i", constraint="words:3,never:stop", seed=4, echo=True, logprobs=1)["choices"][
        0
    ]
    assert constrained["text"] == babble.generate("i", constraint="words:3,never:stop", seed=4)
    assert constrained["genrun"]["effective_particles"] > 0
    distinct = post(client, prompt="i", distinct=True, n=3, seed=4)["choices"]
    wanted = babble.generate_many(["i"], distinct=True, n=3, seed=4)
    assert [choice["text"] for choice in distinct] == [result.continuation for result in wanted]
    assert refused(client, prompt="i", constraint="words:3", stream=True)["param"] == "stream"


def test_a_chat_continues_its_last_message_and_says_what_it_did_not_read(client: TestClient, babble: Model) -> None:
    messages = [{"role": "system", "content": "stop"}, {"role": "user", "content": [{"type": "text", "text": "i"}]}]
    body: dict[str, Any] = {"messages": messages, "seed": 7, "logprobs": True, "top_logprobs": 1}
    answer = post(client, "/v1/chat/completions", **body, max_completion_tokens=9)
    [choice] = answer["choices"]
    wanted = babble.generate_many(["i"], seed=7, max_new_tokens=9)[0].continuation
    assert choice["message"] == {"role": "assistant", "content": wanted, "refusal": None}
    assert "".join(token["token"] for token in choice["logprobs"]["content"]).removesuffix("<end>") == wanted
    assert answer["genrun"] == {"messages_not_read": 1}
    events = streamed(client, "/v1/chat/completions", **body, max_completion_tokens=9)
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == wanted
    assert [delta["role"] for delta in deltas if "role" in delta] == ["assistant"]
    assert refused(client, "/v1/chat/completions", messages=[])["param"] == "messages"
    for content, fields in (("i " * 50, {}), ("i love you", {"constraint": "words:1"})):
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": content}], **fields}
        assert refused(client, "/v1/chat/completions", **asked)["param"] == "messages"


def test_suggestions_and_scores_are_those_of_the_library(client: TestClient, babble: Model, alphabet: Model) -> None:
    answer = post(client, "/v1/suggest", text="you dragons ", n=2, end=True)
    wanted = babble.typing().suggest("you dragons ", 2, end=True)
    assert answer["suggestions"] == [each.to_json() for each in wanted]
    assert answer["unknown"] == ["dragons"]
    scores = post(client, "/v1/score", text=["love you", "stop ."])["data"]
    alone = [babble.score(text) for text in ("love you", "stop .")]
    assert [score["log_probability"] for score in scores] == [pytest.approx(each.log_probability) for each in alone]


def test_the_tokenizer_can_be_used_from_elsewhere(client: TestClient, babble: Model) -> None:
    info = client.get("/tokenizer_info", params={"model": "babble"}).json()
    for name in ("bos", "eos"):
        token = post(client, "/tokenize", prompt=info[f"{name}_token"], add_special_tokens=False)["tokens"]
        assert token == [info[f"{name}_token_id"]]
    assert post(client, "/tokenize", prompt="i love", add_special_tokens=False)["count"] == 2
    assert post(client, "/detokenize", tokens=[]) == {"prompt": ""}


def test_models_have_names(client: TestClient) -> None:
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["babble", "alphabet"]
    assert client.get("/v1/models/alphabet").json()["genrun"]["vocabulary"] == 30
    assert refused(client, model="bable", prompt="i", status=404)["message"] == (
        "there is no model 'bable'; did you mean 'babble'?"
    )
    assert refused(client, model=None, prompt="i")["param"] == "model"


def test_requests_that_differ_in_their_seed_alone_differ_in_nothing_else(client: TestClient, babble: Model) -> None:
    fields: dict[str, Any] = {"prompt": "i", "stop": ["love"], "casing": "title", "temperature": 0.5, "top_k": 4}
    for seed in (1, 2, 1):
        [choice] = post(client, **fields, seed=seed)["choices"]
        [result] = babble.generate_many(
            ["i"], seed=seed, stop=["love"], casing="title", decoder="temperature:0.5,top-k:4"
        )
        assert (choice["text"], choice["genrun"]["seed"]) == (result.continuation, seed)
    drawn = {post(client, **fields)["choices"][0]["genrun"]["seed"] for _ in range(3)}
    assert len(drawn) == 3


def test_an_application_may_be_mounted_in_another_one(babble: Model) -> None:
    inner = create_app({"m": babble}, key="s3cret")
    with TestClient(Starlette(routes=[Mount("/texts", inner)]), base_url="http://localhost") as client:
        assert client.get("/texts/livez").status_code == 200
        assert client.get("/texts/v1/models").status_code == 401
        client.headers["Authorization"] = "Bearer s3cret"
        messages = [{"role": "user", "content": "i"}]
        answer = client.post("/texts/v1/chat/completions", json={"messages": messages, "seed": 1}).json()
        assert answer["choices"][0]["message"]["content"] == babble.generate_many(["i"], seed=1)[0].continuation


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ({"tools": []}, "tools", "'tools' is not supported"),
        ({"suffix": "x"}, "suffix", "'suffix' is not supported"),
        ({"temperature": "hot"}, "temperature", "temperature must be a number from 0 to 100, not 'hot'"),
        ({"temperature": 0.5, "decoder": "greedy"}, "temperature", "not with a decoder"),
        ({"max_tokens": 51}, "max_tokens", "max_tokens must be a whole number from 0 to 50, not 51"),
        ({"max_tokens": True}, "max_tokens", "not True"),
        ({"n": 9}, "n", "n must be a whole number from 1 to 8"),
        ({"n": 4, "prompt": ["i"] * 3}, "n", "12 texts; this server accepts 8"),
        ({"best_of": 1, "n": 2}, "best_of", "less than n"),
        ({"best_of": 3, "stream": True}, "best_of", "cannot be streamed"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "stream: true"),
        ({"logprobs": 21}, "logprobs", "from 0 to 20"),
        ({"seed": -1}, "seed", "from 0 to"),
        ({"stop": [""]}, "stop[0]", "at least 1 characters"),
        ({"prompt": "i " * 50}, "prompt", "51 tokens; this server accepts 40"),
        ({"prompt": []}, "prompt", "at least 1 entries"),
        ({"prompt": [99]}, "prompt", "a prompt's token id must be from 0 to 13, not 99"),
        ({"prompt": [4, "i"]}, "prompt[1]", "must be a whole number"),
        ({"prompt": [4] * 41}, "prompt", "at most 40 entries, not 41"),
        ({"prompt": ["i"] * 9}, "prompt", "at most 8 entries, not 9"),
        ({"prompt": [-1]}, "prompt[0]", "must be a whole number from 0, not -1"),
        ({"logit_bias": {"07": 1}}, "logit_bias", "'07' is no token id"),
        ({"decoder": "gredy"}, "decoder", "did you mean 'greedy'?"),
        ({"decoder": [{"name": "top-k", "options": 5}]}, "decoder", "stage 1: an object has a 'name' and 'options'"),
        ({"constraint": "words:3", "stop": "i"}, "constraint", "stop text"),
        ({"constraint": "words:3", "beam": 2}, "constraint", "do not know constraints"),
        ({"constraint": "word:3"}, "constraint", "unknown constraint 'word'"),
        ({"constraint": "words:3", "decoder": "gredy"}, "decoder", "did you mean 'greedy'?"),
        ({"constraint": "acrostic:xyz"}, "constraint", "the model writes no line breaks"),
        ({"constraint": "words:1", "prompt": "i love you"}, "prompt", "cannot be continued"),
        ({"particles": 4}, "particles", "there is none"),
        ({"labels": {"section": "Opinion"}}, "labels", "label"),
        ({"constraint": "words:3", "labels": {"section": "Opinion"}}, "labels", "label"),
        ({"casing": "upside", "seed": 1}, "casing", "upside"),
        ({"beam": 2, "length_penalty": 0.5, "labels": {"x": "y"}}, "labels", "label"),
        ({"beam": 2, "distinct": True}, None, "choose one of"),
        ({"response_format": {"type": "json"}}, "response_format", "not supported"),
    ],
)
def test_what_is_not_accepted_is_named(
    client: TestClient, body: dict[str, Any], param: str | None, said: str
) -> None:
    error = refused(client, **{"prompt": "i", **body})
    assert error["param"] == param
    assert said in error["message"]
    assert "\n" not in error["message"]


def test_every_field_of_the_schema_is_in_the_openapi_document(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schema = document["paths"]["/v1/completions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    message = refused(client, prompt="i", zzz=1)["message"]
    assert message.removeprefix("'zzz' is not supported; accepted: ").split(", ") == sorted(schema["properties"])
    assert schema["required"] == ["model"]  # since this server has several
    for path in document["paths"]:
        assert client.request("PATCH", path.replace("{model}", "babble")).status_code == 405


def test_a_path_that_does_not_exist_is_named_whatever_the_method(client: TestClient) -> None:
    wrong, other = client.post("/v1/completion", json={}), client.get("/v1/completions")
    assert (wrong.status_code, other.status_code) == (404, 405)
    assert wrong.json()["error"]["message"] == "there is no path '/v1/completion' for POST"
    assert other.json()["error"]["message"] == "this path does not know GET; accepted: POST"


def test_figures_count_texts_and_tokens_under_the_usual_names(babble: Model) -> None:
    with TestClient(create_app({"m": babble}), base_url="http://localhost") as client:
        used = client.post("/v1/completions", json={"prompt": "i", "seed": 7}).json()["usage"]
        client.post("/v1/completions", json={"prompt": "i", "bad": 7})
        lines = client.get("/metrics").text.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(figures['vllm:prompt_tokens_total{model_name="m"}']) == used["prompt_tokens"]
    assert float(figures['vllm:generation_tokens_total{model_name="m"}']) == used["completion_tokens"]
    assert float(figures['vllm:e2e_request_latency_seconds_count{model_name="m"}']) == 1
    assert figures["vllm:num_requests_running"] == figures["vllm:num_requests_waiting"] == "0.0"
    assert figures['genrun:requests_refused_total{status="400"}'] == "1.0"


def test_the_page_is_the_playground_with_what_it_needs_to_know_of_a_model(client: TestClient, babble: Model) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for file in re.findall(r'(?:src|href)="([^":]+)"', page.text):
        assert client.get(f"/{file}").status_code == 200
    assert client.get("/playground.json").json() == {"backend": "server"}
    about = client.get("/v1/models/babble").json()["genrun"]
    assert (about["decoder"], about["casing"], about["max_new_tokens"]) == ("temperature", "none", 12)
    assert about["labels"] == {}


@pytest.mark.parametrize("package", ["no_such_package", "genrun_plugins"])
def test_a_plain_page_stands_in_where_the_playground_is_not_installed(package: str) -> None:
    plain = TestClient(Starlette(routes=page_routes(package)))
    assert "The playground is not installed" in plain.get("/").text
