"""Checks of LiteLLM, the openai package and Inspect AI against a server: one JSON line per check. Run by
bench/clients.js."""

import json
import os
import sys

BASE, TOKEN = os.environ["BASE"], os.environ["TOKEN"]
MESSAGES = [{"role": "user", "content": "Say hello."}]


COLOUR = {"type": "object", "properties": {"colour": {"type": "string", "enum": ["red", "green"]}}, "required": ["colour"], "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "paint", "parameters": COLOUR}}]


def check(name):
    def decorate(function):
        try:
            found = function()
            ok, why = bool(found), None if found else "it is not as expected"
        except Exception as error:  # noqa: BLE001
            ok, why = False, f"{type(error).__name__}: {error}"[:300]
        print(json.dumps({"name": name, "ok": ok, **({} if ok else {"why": why})}), flush=True)
        return function

    return decorate


def with_litellm():
    import litellm

    litellm.telemetry = False
    how = {"api_base": BASE, "api_key": TOKEN, "temperature": 0, "max_tokens": 8}

    @check("completion")
    def _():
        answer = litellm.completion(model="openai/small", messages=MESSAGES, **how)
        return answer.choices[0].message.content and answer.usage.completion_tokens > 0

    @check("completion, streamed")
    def _():
        chunks = list(litellm.completion(model="openai/small", messages=MESSAGES, stream=True, **how))
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    @check("a JSON schema")
    def _():
        form = {"type": "json_schema", "json_schema": {"name": "colour", "schema": COLOUR, "strict": True}}
        answer = litellm.completion(model="openai/small", messages=MESSAGES, response_format=form, **{**how, "max_tokens": 30})
        return json.loads(answer.choices[0].message.content)["colour"] in ("red", "green")

    @check("a tool that must be called")
    def _():
        answer = litellm.completion(model="openai/small", messages=MESSAGES, tools=TOOLS, tool_choice="required", **{**how, "max_tokens": 40})
        return json.loads(answer.choices[0].message.tool_calls[0].function.arguments)["colour"] in ("red", "green")

    @check("text_completion")
    def _():
        answer = litellm.text_completion(model="text-completion-openai/small", prompt="The capital of France is", **how)
        return "Paris" in answer.choices[0].text

    @check("embedding")
    def _():
        vectors = litellm.embedding(model="openai/enc", input=["a rose", "a stone"], api_base=BASE, api_key=TOKEN)
        return len(vectors.data) == 2 and len(vectors.data[0]["embedding"]) == 384

    @check("responses")
    def _():
        answer = litellm.responses(model="openai/small", input="Say hello.", max_output_tokens=16, api_base=BASE, api_key=TOKEN)
        return answer.output[0].content[0].text

    @check("a specialist answers with its label")
    def _():
        answer = litellm.completion(model="openai/tones", messages=[{"role": "user", "content": "A rude letter"}], api_base=BASE, api_key=TOKEN)
        return answer.choices[0].message.content == "r"

    @check("an unknown model is NotFoundError")
    def _():
        try:
            litellm.completion(model="openai/nobody", messages=MESSAGES, num_retries=0, **how)
        except litellm.NotFoundError:
            return True


def with_openai():
    from openai import NotFoundError, OpenAI

    client = OpenAI(base_url=BASE, api_key=TOKEN, max_retries=0)

    @check("chat, streamed with usage")
    def _():
        stream = client.chat.completions.create(
            model="small", messages=MESSAGES, max_tokens=8, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        return chunks[-1].usage.completion_tokens > 0 and len(chunks) > 3

    @check("a function that must be called")
    def _():
        answer = client.chat.completions.create(model="small", messages=MESSAGES, tools=TOOLS, tool_choice="required", max_tokens=40)
        return json.loads(answer.choices[0].message.tool_calls[0].function.arguments)["colour"] in ("red", "green")

    @check("embeddings, base64 by its default")
    def _():
        return len(client.embeddings.create(model="enc", input="a rose").data[0].embedding) == 384

    @check("responses, streamed")
    def _():
        with client.responses.stream(model="tones", input="A rude letter") as stream:
            for _event in stream:
                pass
            return stream.get_final_response().output_text == "r"

    @check("an unknown model is NotFoundError")
    def _():
        try:
            client.chat.completions.create(model="nobody", messages=MESSAGES)
        except NotFoundError:
            return True


def with_inspect():
    os.environ["HONE_BASE_URL"], os.environ["HONE_API_KEY"] = BASE, TOKEN
    from inspect_ai import Task, eval as run
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import choice, match
    from inspect_ai.solver import generate, multiple_choice

    log_dir = sys.argv[2] if len(sys.argv) > 2 else "inspect-logs"

    @check("a task of a specialist: match")
    def _():
        samples = [Sample(input=f"A {word} letter", target=key) for word, key in (("rude", "r"), ("polite", "p"), ("neutral", "n"))]
        [log] = run(Task(dataset=samples, solver=generate(), scorer=match(location="exact")), model="openai-api/hone/tones", log_dir=log_dir, display="none")
        return log.status == "success" and log.results.scores[0].metrics["accuracy"].value == 1

    @check("a task of the embedded model: multiple_choice")
    def _():
        samples = [Sample(input="Which is a colour?", choices=["stone", "red"], target="B")]
        [log] = run(
            Task(dataset=samples, solver=multiple_choice(), scorer=choice()),
            model="openai-api/hone/small",
            log_dir=log_dir,
            display="none",
            max_tokens=16,
        )
        return log.status == "success"


{"litellm": with_litellm, "openai": with_openai, "inspect": with_inspect}[sys.argv[1]]()
