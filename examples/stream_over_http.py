"""Grades over HTTP without any library: each result is printed when it is there.

reward-server serve --http 127.0.0.1:8080
python examples/stream_over_http.py http://127.0.0.1:8080
"""

import json
import sys
import urllib.request

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
TASK = {"taskId": "sum", "codeTests": {"entryPoint": "add", "callTests": [{"args": ["1", "2"], "expected": "3"}]}}
RESPONSES = {
    "right": "```python\ndef add(a, b):\n    return a + b\n```",
    "wrong": "```python\ndef add(a, b):\n    return a - b\n```",
}
samples = [{"sampleId": name, "taskId": "sum", "response": text} for name, text in RESPONSES.items()]
body = json.dumps({"tasks": [TASK], "samples": samples}).encode()
request = urllib.request.Request(f"{URL}/reward/v1/score_stream", body)  # noqa: S310 - a URL of one's own
with urllib.request.urlopen(request) as lines:  # noqa: S310 - as above
    for line in lines:
        result = json.loads(line)["result"]
        if "verdict" in result:
            print(result["sampleId"], result["verdict"]["score"], result["verdict"]["summary"])
        else:  # no score: mask the sample
            print(result["sampleId"], "not graded:", result["failure"]["message"])
