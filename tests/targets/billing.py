"""A server that bills for each input that it labels, and is busy, slow or gone now and then; and a client of it."""

import json
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

import numpy as np

N_CLASSES = 3
FAULTS = ("429", None, "503", None, None, "hang", None, None)  # of one request after the other


def label_of(values):
    return int(sum(values) * 7) % N_CLASSES


class Server:
    """On a free port, in a thread. billed: how often each input was labelled; headers: of the last request; sizes: of
    all requests that were billed; lost: inputs that were, and never answered.

    faults: of one request after the other, over and over; answer: what to make of labels, JSON or a text; label: a
    function from a list of inputs to their labels, which may be set anew; after: what it says when it is busy;
    redirect: another address, to which it sends everybody.
    """

    def __init__(
        self,
        faults=(None,),
        answer=None,
        label=lambda inputs: list(map(label_of, inputs)),
        after="0.02",
        redirect=None,
    ):
        self.billed, self.headers, self.sizes, self.lost = Counter(), {}, [], 0
        self.label = label
        served, faults, lock = self, cycle(faults), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    fault, served.headers = next(faults), dict(self.headers)
                if redirect is not None:
                    return self.reply(307, {}, {"Location": redirect})
                if fault == "429":
                    return self.reply(429, {}, {"Retry-After": after})
                if fault == "503":
                    return self.reply(503, {})
                if fault == "401":
                    return self.reply(401, "who are you?\nhelp")
                with lock:
                    served.sizes.append(len(content["inputs"]))
                    served.billed.update(map(tuple, content["inputs"]))
                if fault == "cut":  # billed, and half answered
                    self.send_response(200)
                    self.send_header("Content-Length", "1000")
                    self.end_headers()
                    self.wfile.write(b'{"la')
                    return self.close()
                if fault == "hang":  # billed, and never answered
                    served.lost += len(content["inputs"])
                    return self.close()
                labels = served.label(content["inputs"])
                self.reply(200, {"labels": labels} if answer is None else answer(labels))

            def reply(self, status, content, headers=()):
                text = (content if isinstance(content, str) else json.dumps(content)).encode()
                self.send_response(status)
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def close(self):
                self.close_connection = True
                self.connection.close()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/labels"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def inputs(n, seed=0):
    return np.random.default_rng(seed).random((n, 4), np.float32)


if __name__ == "__main__":  # URL N BATCH: ask about all, and print the labels
    from lmia.targets.http import build

    url, n, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    predict = build((4,), N_CLASSES, url, batch=batch, timeout=5.0)
    print(json.dumps(predict(inputs(n)).tolist()))
