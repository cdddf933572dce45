"""What schemathesis cannot send by itself: TOML documents, as the text that they are."""

import json

import schemathesis


@schemathesis.serializer("application/toml")
def toml(_, value):
    # What is no text is sent as JSON: the server has to refuse it in words.
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()
