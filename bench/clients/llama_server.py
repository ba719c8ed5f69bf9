"""llama-server's own unit tests (llama.cpp, tools/server/tests) against `hone serve`: a pytest plugin, loaded with -p llama_server.

Their ServerProcess starts Hone in llama-server's place, over one of our models (restarted only where a test starts it with other options).
What a test uses decides before it runs whether it is left out, and why. One JSON line per test: name, and ok, why or left.

Environment: HONE (the command's file), NODE, HONE_STORE, TESTS_SAY (the file of those lines).
"""

import inspect
import json
import os
import re
import subprocess

import openai
import pytest
import utils

TOKEN = "a token of the tests"
WRITER, ENCODER = "llama:smollm2-135m-instruct", "encoder:minilm"
OUT = open(os.environ["TESTS_SAY"], "w", encoding="utf-8")

# Paths that llama-server answers in the same way with and without the prefix.
BARE = ("/chat/completions", "/responses", "/models", "/embeddings")
# llama-server's own paths; `/completion(s)` too has its own format there.
OWN_ROUTE = re.compile(
    r'"(/(?:completions?|props|slots|tokenize|detokenize|apply-template|infill|rerank|tools|lora-adapters|predict|cors-proxy'
    r'|v1/messages|v1/stream|models/\w+|models\?|chat/completions/input_tokens|v1/responses/input_tokens)\b)'
)
PRESETS = {
    "router": "its router over several models",
    "tinygemma3": "images, which no model here reads",
    "jina_reranker_tiny": "its reranker",
    "tinyllama_infill": "its infill model",
    "stories15m_moe": "its mixture of experts",
}
# Markers in a test's source: the reason for leaving it out.
MARKS = (
    (r"OPTIONS", "cross-origin requests, refused by design"),
    (r"__verbose|verbose", "its own field `__verbose`"),
    (r"timings|prompt_progress", "its own timings and progress"),
    (r'"grammar": grammar|"json_schema": json_schema|"grammar": "root', "its own grammar parameters"),
    (r"n_prompt\b|n_cache\b", "its model's words and token counts"),
    (r'server\.pooling = .none', "its own pooling by token"),
    (r"continue_final_message", "its own continuation of the last message"),
    (r"server_host =", "several addresses"),
    (r"no_ui|sw\.js", "its web page"),
    (r"model_tags", "its aliases and tags"),
    (r"llamacpp:|server_metrics = |fetch_metrics", "its own metrics"),
    (r'"n_prompt_tokens"', "its own fields of an error"),
)
NAMED = {
    "test_access_public_endpoint": "routes without a token, refused by design",
    "test_mcp_proxy": "its own route `/cors-proxy`",
    "test_embedding_content_text_same_as_string": "its own forms of an embedding's input",
}
# These tests' regular expressions match what stories260K writes: any words are accepted.
ANY_WORDS = {
    "test_chat_completion_with_openai_library",
    "test_completion_with_openai_library",
    "test_completion_stream_with_openai_library",
    "test_responses_with_openai_library",
    "test_responses_stream_with_openai_library",
}
asked = {"model": None}
running = {"args": None, "process": None, "port": None}


def start(self, timeout_seconds=120):
    ref = ENCODER if self.server_embeddings else WRITER
    if not self.server_embeddings and self.n_ctx:
        ref += f"?context={self.n_ctx // (self.n_slots or 1)}"
    name = asked["model"] or self.model_alias or "model"
    args = [os.environ["NODE"], os.environ["HONE"], "serve", f"{name}={ref}", "--port", "0", "--json"]
    args += ["--token", self.api_key or TOKEN, "--store", os.environ["HONE_STORE"]]
    if running["args"] != args:
        end()
        running["process"] = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
        line = running["process"].stdout.readline()
        running.update(args=args, port=int(re.search(r":(\d+)", json.loads(line)["url"].removeprefix("http:")).group(1)))
    self.server_port = running["port"]


def end():
    if running["process"]:
        running["process"].terminate()
        running["process"].wait(timeout=60)
    running.update(args=None, process=None)


def with_token(method):
    def made(self, verb, path, data=None, headers=None, **more):
        if headers is None and self.api_key is None:
            headers = {"Authorization": f"Bearer {TOKEN}"}
        return method(self, verb, path, data, headers, **more)

    return made


def make_url(self, path, host=None):
    path = f"/v1{path}" if path.startswith(BARE) else path
    return f"http://{self.server_host}:{self.server_port}{path}"


class OpenAI(openai.OpenAI):
    """The tests send "dummy", and Hone accepts no token that short."""

    def __init__(self, api_key, **more):
        super().__init__(api_key=TOKEN if api_key == "dummy" else api_key, **more)


openai.OpenAI = OpenAI
utils.ServerProcess.start = start
utils.ServerProcess.stop = lambda self: None
utils.ServerProcess.make_url = make_url
utils.ServerProcess.make_request = with_token(utils.ServerProcess.make_request)
utils.ServerProcess.make_stream_request = with_token(utils.ServerProcess.make_stream_request)
utils.ServerPreset.load_all = staticmethod(lambda: None)


def left_out(item):
    name = item.originalname
    text = inspect.getsource(item.function)
    whole = inspect.getsource(item.module)
    if name in NAMED:
        return NAMED[name]
    if item.get_closest_marker("slow"):
        return "models of gigabytes"
    preset = re.search(r"ServerPreset\.(\w+)", text) or re.search(r"def create_server\(.*?ServerPreset\.(\w+)", whole, re.S)
    if preset and preset.group(1) in PRESETS:
        return PRESETS[preset.group(1)]
    route = OWN_ROUTE.search(text)
    if route and name != "test_incorrect_api_key":  # the guard answers before the route
        return f"its own route `{route.group(1)}`"
    if "chat_template" in text and name != "test_completion_without_tool_call_fast":
        return "its own choice of a chat template"
    for mark, why in MARKS:
        if re.search(mark, text):
            return why
    given = item.callspec.params.get("input") if item.path.name == "test_embedding.py" and hasattr(item, "callspec") else None
    if re.search(r"\{|\[.*\d, ", json.dumps(given)) and name == "test_embedding_mixed_input":
        return "its own forms of an embedding's input, or token numbers, refused by design"
    return None


def say(item, **what):
    name = f"{item.path.name}::{item.name}"
    OUT.write(json.dumps({"name": name, **what}) + "\n")
    OUT.flush()


def pytest_collection_modifyitems(config, items):
    kept = []
    for item in items:
        why = left_out(item)
        if why is None:
            kept.append(item)
        else:
            say(item, left=why)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_sessionfinish():
    end()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    params = item.callspec.params if hasattr(item, "callspec") else {}
    named = re.search(r'\bmodel="([^"]+)"', inspect.getsource(item.function))
    asked["model"] = params.get("model") or (named.group(1) if named else None)
    anything = item.originalname in ANY_WORDS
    item.module.match_regex = (lambda _, text: text != "") if anything else utils.match_regex


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" or report.failed or report.skipped:
        if report.when == "teardown" and not report.failed:
            return
        if report.skipped:
            say(item, left="skipped by the test itself")
        else:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = {} if report.passed else {"why": (crash.message if crash else str(report.longrepr)).split("\n")[0][:200]}
            say(item, ok=report.passed, **why)
