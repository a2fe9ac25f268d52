"""Asks whether a server answers, within a few seconds whatever the network does."""

import http.client
import threading
import urllib.error
import urllib.request

PATIENCE_SECONDS = 4.0
PROXY_ERRORS = (502, 503, 504)  # what a proxy says of a server that it cannot reach


def answers(address: str, patience: float = PATIENCE_SECONDS) -> bool:
    """Whether an HTTP server sends any answer, an error among them; proxies are taken from the environment.

    Looking up a name knows no time limit, hence the thread.
    """
    found: list[bool] = []

    def ask() -> None:
        try:
            urllib.request.urlopen(address, timeout=patience).close()
        except urllib.error.HTTPError as error:
            found.append(error.code not in PROXY_ERRORS)
        except (OSError, ValueError, http.client.HTTPException):
            found.append(False)
        else:
            found.append(True)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return found == [True]
