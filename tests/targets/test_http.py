"""A model that bills: each input is paid for once, whatever fails, and nothing is sent beyond what may be."""

import json
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from lmia.targets import http
from lmia.targets.http import Busy, build
from lmia.targets.ledger import Ledger, OverBudget, key_of
from tests.targets.billing import FAULTS, N_CLASSES, Server, inputs, label_of
from workflow.harness.fingerprint import ROOT


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(http.tenacity, "wait_random_exponential", lambda max: lambda state: 0.01)
    return tmp_path


@pytest.fixture
def serve():
    """A function that starts a server; all of them end with the test."""
    servers = []

    def start(*args, **options):
        servers.append(Server(*args, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def expected(points):
    return [label_of(values.tolist()) for values in points]


def test_each_distinct_input_is_asked_once_and_for_good(serve):
    server, points = serve(), inputs(70)
    twice = np.concatenate([points, points[::-1]])
    predict = build((4,), N_CLASSES, server.url, batch=30)
    assert predict(twice).tolist() == expected(twice) and server.sizes == [30, 30, 10]
    again = build((4,), N_CLASSES, server.url, batch=30)  # another job, another day
    assert again(points).tolist() == expected(points) and set(server.billed.values()) == {1}
    other = build((4,), N_CLASSES, server.url, revision="2")
    assert other(points[:5]).tolist() == expected(points[:5]) and sum(server.billed.values()) == 75


def test_a_busy_server_is_asked_again_and_a_lost_answer_costs_one_batch(serve):
    server, points = serve(FAULTS), inputs(300)
    assert build((4,), N_CLASSES, server.url, batch=20)(points).tolist() == expected(points)
    lost = sum(server.billed.values()) - 300
    assert lost > 0 and lost % 20 == 0 and max(server.billed.values()) <= 3
    (file,) = (path for path in (http.FOLDER).iterdir() if path.suffix == ".sqlite")
    ledger = Ledger(file)
    assert ledger.kept == 300 and ledger.sent >= sum(server.billed.values())


def test_patience_ends_and_what_was_answered_stays(serve):
    server, points = serve((None, *["503"] * 10**4)), inputs(40)
    predict = build((4,), N_CLASSES, server.url, batch=20, patience=0.2)
    with pytest.raises(Busy, match=f"^{server.url}: status 503$"):
        predict(points)
    assert predict(points[:20]).tolist() == expected(points[:20]) and sum(server.billed.values()) == 20


def test_nothing_is_sent_beyond_what_may_be(serve):
    server, points = serve(), inputs(100)
    predict = build((4,), N_CLASSES, server.url, batch=40, most=90)
    with pytest.raises(OverBudget, match="^most: 90: 80 inputs were sent, and 20 more are asked for, of"):
        predict(points)
    assert sum(server.billed.values()) == 80
    assert build((4,), N_CLASSES, server.url, most=80)(points[:80]).tolist() == expected(points[:80])
    assert build((4,), N_CLASSES, server.url, most=100)(points).tolist() == expected(points)


def test_secrets_come_from_the_environment_and_are_in_no_error(serve, monkeypatch):
    server = serve((None, "401"))
    monkeypatch.setenv("LMIA_TEST_KEY", "s3cret")
    predict = build((4,), N_CLASSES, server.url, headers={"Authorization": "$LMIA_TEST_KEY", "Accept": "text/plain"})
    predict(inputs(1))
    assert server.headers["Authorization"] == "s3cret" and server.headers["Accept"] == "text/plain"
    with pytest.raises(ValueError, match=f"^{server.url}: expected labels, got status 401: who are you\\?$"):
        predict(inputs(2))
    monkeypatch.delenv("LMIA_TEST_KEY")
    with pytest.raises(ValueError, match=r"^headers.Authorization: \$LMIA_TEST_KEY: no such environment variable; set"):
        predict(inputs(3))
    assert not [file for file in http.FOLDER.iterdir() if b"s3cret" in file.read_bytes()]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda labels: {"labels": labels[1:]}, "expected 3 class numbers under labels, got int64 of shape (2,)"),
        (lambda labels: {"labels": ["cat"] * 3}, "expected 3 class numbers under labels, got <U3 of shape (3,)"),
        (lambda labels: {"labels": [0, 1, 3]}, "expected classes from 0 to 2, got 0 to 3"),
        (lambda labels: {"classes": labels}, 'expected JSON with a list under labels, got {"classes"'),
        (lambda labels: "<html>", "expected JSON with a list under labels, got <html>"),
    ],
)
def test_answers_that_are_no_labels_are_refused_and_not_kept(serve, answer, message):
    server = serve(answer=answer)
    with pytest.raises(ValueError) as error:
        build((4,), N_CLASSES, server.url)(inputs(3))
    assert str(error.value).startswith(f"{server.url}: {message}")
    (file,) = (path for path in http.FOLDER.iterdir() if path.suffix == ".sqlite")
    assert Ledger(file).kept == 0 and Ledger(file).sent == 3


def test_inputs_are_sent_no_faster_than_is_asked_for(serve):
    server, start = serve(), time.monotonic()
    build((4,), N_CLASSES, server.url, batch=10, per_second=100)(inputs(40))
    assert time.monotonic() - start >= 0.4


def test_an_input_is_known_by_its_values_and_shape():
    one = np.arange(4, dtype=np.float32)
    assert key_of(one) == key_of(one.astype(float)) != key_of(one.reshape(2, 2)) and key_of(one) != key_of(one + 1)


@pytest.mark.parametrize("n_kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_killed_client_pays_for_one_batch_twice_at_most(serve, folder, n_kills):
    """Killed at any moment, and to the end in the end; then once more for nothing."""
    server, draw, n, batch = serve(FAULTS), random.Random(0), 40 * n_kills, 10
    command = [sys.executable, "-m", "tests.targets.billing", server.url, str(n), str(batch)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    kills = 0
    while kills < n_kills:
        before = sum(server.billed.values())
        client = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
        while client.poll() is None and sum(server.billed.values()) == before:
            time.sleep(0.01)
        time.sleep(draw.random() / 50)
        if client.poll() is not None:
            break  # all is paid for
        client.kill()
        client.communicate()
        kills += 1
    hangs = sum(server.sizes) // batch // 5 + 1  # of lost answers, about one in five
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected(inputs(n)) and kills
    billed, lost = sum(server.billed.values()), (FAULTS.count("hang") and hangs) * batch
    assert n <= billed <= n + kills * batch + lost
    again = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout and sum(server.billed.values()) == billed
