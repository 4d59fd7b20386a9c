"""Where a server that speaks OpenAI's protocol is, and how it is asked."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import RadsentError

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)  # of an environment variable


class EndpointSettings(BaseModel):
    """Where a server is, and how it is asked.

    base_url (str): E.g. "http://127.0.0.1:8000/v1".
    api_key_env (str): Name of the environment variable that holds the key. A local server needs none.
    concurrency (int): Questions at once.
    timeout (float): Seconds without a byte from the server, and seconds that an answer may take from its first byte to
        its last, until a question is asked again.
    max_retries (int): Times to ask again after a timeout, a lost connection, and the statuses 408, 409, 429 and 5xx;
        the client waits in between, longer each time, and as long as the server says.
    structured_output (bool): Give the server the JSON schema of the answer; off for a server that knows none.
    allow_remote_phi (bool): Let reports that are not marked synthetic go to a server that is not on this machine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    api_key_env: str = "OPENAI_API_KEY"
    concurrency: int = Field(8, ge=1)
    timeout: float = Field(60, gt=0, le=86_400)
    max_retries: int = Field(5, ge=0)
    structured_output: bool = True
    allow_remote_phi: bool = False

    @classmethod
    def read(cls, section: Any) -> "EndpointSettings":
        """RETURNS (EndpointSettings): From a section of a config."""
        try:
            settings = cls.model_validate(section)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(["endpoint", *map(str, first["loc"])])
            raise RadsentError(f"{field}: {first['msg']}; settings are {', '.join(cls.model_fields)}.") from None
        try:
            url = urlsplit(settings.base_url)
            whole = url.scheme in ("http", "https") and url.hostname and url.port != 0  # or no number: ValueError
        except ValueError:
            url, whole = None, False
        if not NAME.fullmatch(settings.api_key_env):
            raise RadsentError(
                "endpoint.api_key_env is no name of an environment variable (not shown): give the name, e.g. "
                "OPENAI_API_KEY, of one that holds the key."
            )
        if re.search("[?#]", settings.base_url):
            raise RadsentError(
                "endpoint.base_url holds a query or a fragment (not shown): leave it out, and put a key into the "
                "environment variable that api_key_env names."
            )
        if "@" in (settings.base_url if url is None else url.netloc):
            raise RadsentError(
                "endpoint.base_url holds a user's name or password (not shown): leave them out, and put a key into the "
                "environment variable that api_key_env names."
            )
        if not whole:
            raise RadsentError(
                f"endpoint.base_url is {settings.base_url!r}: give a whole address, e.g. http://127.0.0.1:8000/v1."
            )
        return settings

    @property
    def is_local(self) -> bool:
        """RETURNS (bool): Whether the server is on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False
