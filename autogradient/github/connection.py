"""A connection to GitHub's REST API through githubkit: who we are there, bounded retries, pages,
and one sentence where it gives up.

What asks is tried again after an error or a lost answer. What makes something is not, since it may
have been made: `Connection.once` looks first.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from autogradient import __version__, errors
from autogradient.errors import GitHubError, UncertainError
from autogradient.github.hosting import MOST
from autogradient.github.settings import Settings

try:
    import httpx
    from githubkit import AppAuthStrategy, GitHub
    from githubkit.cache import MemCacheStrategy
    from githubkit.exception import GitHubException, RateLimitExceeded, RequestError, RequestFailed
    from githubkit.retry import RetryOption
except ImportError as missing:  # the extra 'github' is not installed
    raise GitHubError(errors.GITHUB_NOT_INSTALLED.format(missing=missing.name)) from None

T = TypeVar("T")

#: How often a request is made at most, and the longest that is waited before one.
TRIES, LONGEST_WAIT = 5, timedelta(seconds=120)
#: What stands in the environment: a token, or the private key of the App (its text, or the path of
#: its file).
TOKENS, KEY = ("AUTOGRADIENT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"), "AUTOGRADIENT_APP_KEY"
#: An installation's token is good for an hour.
GOOD_FOR = 45 * 60
#: For GitHub's own error pages; a person reads the first words of it.
MAX_SAID = 200


def _wait(tried: int) -> timedelta:
    return timedelta(seconds=min(0.2 * 4**tried, 30))


def _retry(error: GitHubException, tried: int) -> RetryOption:
    """Whether to make a request again, and when."""
    if tried + 1 >= TRIES:
        return RetryOption(False)
    if isinstance(error, RateLimitExceeded):  # GitHub has done nothing yet
        # githubkit takes no time at all for a minute
        return RetryOption(error.retry_after <= LONGEST_WAIT, error.retry_after or _wait(0))
    request = getattr(error, "request", None) or getattr(
        getattr(error, "exc", None), "_request", None
    )
    asks = request is not None and request.method in ("GET", "HEAD", "PUT", "PATCH", "DELETE")
    if request is not None and request.method == "PATCH" and "/check-runs/" in request.url.path:
        asks = False  # its annotations are added to those that are there
    if isinstance(error, RequestFailed):
        return RetryOption(asks and error.response.status_code >= 500, _wait(tried))
    return RetryOption(asks and isinstance(error, RequestError), _wait(tried))


@dataclass
class Connection:
    """GitHub, as the course's App or with a token. `permissions` are what an App's token is asked
    to be good for, and no more.
    """

    settings: Settings
    permissions: dict[str, str] = field(default_factory=dict)
    #: The names of the only repositories that an App's token is to be good for; none: all that the
    #: App can see.
    only: tuple[str, ...] = ()
    _token: str = ""
    _until: float = 0.0
    _github: Any = None

    @property
    def rest(self) -> Any:
        """githubkit's REST methods."""
        if self._github is None or (self._until and time.monotonic() > self._until):
            self._github = self._open(self.token())
        return self._github.rest

    def _open(self, auth: Any) -> Any:
        return GitHub(
            auth,
            base_url=self.settings.api,
            user_agent=f"autogradient/{__version__}",
            timeout=httpx.Timeout(30.0),
            auto_retry=_retry,
            http_cache=False,
            # of its own: what is signed with one key must not serve another
            cache_strategy=MemCacheStrategy(),
            event_hooks={"response": [_whole]},
        )

    def token(self) -> str:
        """A token that is good now."""
        if self._token and (not self._until or time.monotonic() < self._until):
            return self._token
        given = next((os.environ[name] for name in TOKENS if os.environ.get(name)), "")
        if self.settings.app and os.environ.get(KEY):
            self._token, self._until, self._github = (
                self._installation_token(),
                time.monotonic() + GOOD_FOR,
                None,
            )
        elif given:
            self._token, self._until = given, 0.0
        else:
            raise GitHubError(errors.GITHUB_NO_TOKEN.format(tokens=TOKENS[0], key=KEY))
        return self._token

    def _installation_token(self) -> str:
        key = os.environ[KEY]
        if "-----BEGIN" not in key:
            try:
                key = Path(key).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise GitHubError(
                    errors.GITHUB_NO_KEY.format(
                        key=KEY, problem=getattr(error, "strerror", "") or "no text"
                    )
                ) from None
        try:
            # must live as long as what it gives
            signed = self._open(AppAuthStrategy(self.settings.app, key))
            app = signed.rest.apps
            installation = self.call(app.get_org_installation, org=self.settings.organization)["id"]
            narrow = {"permissions": self.permissions} if self.permissions else {}
            only = {"repositories": list(self.only)} if self.only else {}
            made = self.call(
                app.create_installation_access_token, installation_id=installation, **narrow, **only
            )
        except ValueError:
            raise GitHubError(
                errors.GITHUB_NO_KEY.format(key=KEY, problem="this is no private key")
            ) from None
        return str(made["token"])

    def call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """What GitHub answers to one request, as plain data ({} where it answers without any).
        Raises GitHubError.
        """
        with _sentences():
            answer = method(**arguments)
            return answer.json() if answer.content else {}

    def find(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """Like `call`; None where GitHub says that there is no such thing."""
        try:
            return self.call(method, **arguments)
        except GitHubError as error:
            if error.status == 404:
                return None
            raise

    def pages(
        self, method: Callable[..., Any], *, most: int = MOST, **arguments: Any
    ) -> Iterator[Any]:
        """Everything a listing has, however GitHub cuts it into pages; `most` bounds
        what is read.
        """
        with _sentences():
            for number, entry in enumerate(
                self.rest.paginate(
                    method, lambda response: response.json(), per_page=100, **arguments
                )
            ):
                if number >= most:
                    return
                yield entry

    def once(self, look: Callable[[], T | None], make: Callable[[], T]) -> T:
        """What `look` finds, or what `make` makes, never twice.

        An answer may be lost after the thing was made, so after an error it is looked for before it
        is tried again.
        """
        for tried in range(TRIES):
            found = look()
            if found is not None:
                return found
            try:
                return make()
            except UncertainError:
                if tried + 1 == TRIES:
                    raise
                time.sleep(_wait(tried).total_seconds())
            except GitHubError as error:
                if error.status != 422:
                    raise
                found = look()  # somebody else was quicker
                if found is None:
                    raise
                return found
        raise AssertionError

    def git_configuration(self, url: str) -> dict[str, str]:
        """What lets git in at an address of GitHub's: not on its command line, where others could
        read it.
        """
        if not url.startswith("https://"):
            return {}
        secret = base64.b64encode(f"x-access-token:{self.token()}".encode()).decode()
        return {
            f"http.{self.settings.git.rstrip('/')}/.extraHeader": f"Authorization: Basic {secret}"
        }


def _whole(response: httpx.Response) -> None:
    """A body that was cut on its way is a lost answer, to be asked for again."""
    response.read()
    if response.content and "json" in response.headers.get("content-type", ""):
        try:
            response.json()
        except ValueError:
            raise httpx.ReadError(errors.GITHUB_CUT, request=response.request) from None


class _sentences:
    """Turns githubkit's errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, RateLimitExceeded):
            raise GitHubError(
                errors.GITHUB_RATE_LIMIT.format(
                    what=_what(error.request), seconds=int(error.retry_after.total_seconds())
                ),
                status=429,
            ) from None
        if isinstance(error, RequestFailed):
            status = error.response.status_code
            sentence = errors.GITHUB_REFUSED.format(
                what=_what(error.request), status=status, said=_said(error.response)
            )
            raise (UncertainError if status >= 500 else GitHubError)(
                sentence, status=status
            ) from None
        if isinstance(error, GitHubException):
            cause = getattr(error, "exc", error)
            request = getattr(cause, "_request", None)
            raise UncertainError(
                errors.GITHUB_NOT_REACHED.format(
                    what=_what(request), problem=str(cause) or type(cause).__name__
                )
            ) from None


def _what(request: httpx.Request | None) -> str:
    return f"{request.method} {request.url.path}" if request is not None else "a request"


def _said(response: Any) -> str:
    try:
        data = response.json()
        details = [
            str(entry.get("message") or entry.get("code") or "")
            if isinstance(entry, dict)
            else str(entry)
            for entry in data.get("errors") or ()
        ]
        said = ": ".join(
            filter(None, [str(data.get("message", "")), ", ".join(filter(None, details))])
        )
    except (ValueError, AttributeError):
        said = str(response.text)
    return " ".join(said.split())[:MAX_SAID] or "no reason given"
