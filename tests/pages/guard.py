"""What no page may do: complain in the console, ask for what is not there, or ask another host for anything."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request, Response, WebError

# A page that is left ends what it still waits for. Nothing failed.
_LEFT = "net::ERR_ABORTED"
_LOCAL = frozenset({"data", "blob"})


@dataclass
class Guard:
    """Notes every fault of the pages that it looks at.

    Args:
        host: The only one that may be asked.
        faults: What was seen.
        expected: Words of the faults that a test brings about itself.
        gone: Studies that the test has deleted at its end, while pages may still ask for them.
    """

    host: str
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def look_at(self, context: BrowserContext) -> None:
        """Look at every page of a context from now on."""
        context.on("console", self._said)
        context.on("weberror", self._raised)
        context.on("dialog", self._called)
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("requestfailed", self._failed)

    def expect(self, *words: str) -> None:
        """Let those faults pass that have one of these words."""
        self.expected += words

    @property
    def unexpected(self) -> list[str]:
        """The faults that no test brought about."""
        return [fault for fault in self.faults if not any(words in fault for words in self.expected)]

    def _said(self, message: ConsoleMessage) -> None:
        # What was answered with an error is noted with its address when it is answered.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"the console says: {message.text}")

    def _raised(self, error: WebError) -> None:
        self.faults.append(f"a script raised: {error.error}")

    def _called(self, dialog: Dialog) -> None:
        self.faults.append(f"a dialog says: {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in _LOCAL and address.netloc != self.host:
            self.faults.append(f"another host was asked: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not self._is_of_gone(response):
            self.faults.append(f"answered with {response.status}: {response.url}")

    def _is_of_gone(self, response: Response) -> bool:
        path = urlsplit(response.url).path.split("/")
        return response.status == 404 and "studies" in path and not self.gone.isdisjoint(path)

    def _failed(self, request: Request) -> None:
        if request.failure != _LEFT:
            self.faults.append(f"failed with {request.failure}: {request.url}")
