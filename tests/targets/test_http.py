"""A model that bills: each input is paid for once, whatever fails, and nothing is sent beyond what may be."""

import contextlib
import json
import math
import random
import sqlite3
import ssl
import subprocess
import sys
import time
import traceback
from types import SimpleNamespace

import numpy as np
import pytest
import requests
import urllib3.exceptions as sending

from lmia.targets import http
from lmia.targets.http import Busy, build
from lmia.targets.ledger import FOLDER, LEVEL, Ledger, OverBudget, Repeats, Sent, key_of, path_of_sent
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


def sent_to(server):
    return Sent(path_of_sent(server.url)).inputs


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
    (file,) = (path for path in FOLDER.iterdir() if path.suffix == ".sqlite")
    assert Ledger(file).kept == 300 and sent_to(server) >= sum(server.billed.values())


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


def test_no_more_money_is_spent_than_may_be(serve):
    server, points = serve(), inputs(100)
    terms = {"batch": 40, "price": 0.01, "currency": "EUR", "spend": 0.9}
    with pytest.raises(OverBudget, match="^spend: 0.9: pays for 90 inputs, at 0.01 EUR each: 80 inputs were sent, and"):
        build((4,), N_CLASSES, server.url, **terms)(points)
    assert sum(server.billed.values()) == 80
    for most, stated in ((85, "most: 85: "), (95, "spend: 0.9: ")):
        with pytest.raises(OverBudget, match=f"^{stated}"):
            build((4,), N_CLASSES, server.url, **terms | {"most": most})(points)
    assert build((4,), N_CLASSES, server.url, **terms | {"spend": 1})(points).tolist() == expected(points)


def ledger_of(folder):
    (file,) = (path for path in (folder / FOLDER).iterdir() if path.suffix == ".sqlite")
    return file


def wait(folder, is_idle=True):
    """As if two hours had passed since anything was asked again, and, if it was idle, since anything was answered."""
    with contextlib.closing(sqlite3.connect(ledger_of(folder))) as file, file:
        file.execute("UPDATE again SET latest_at = latest_at - ?", (2 * http.PAUSE,))
        file.execute("UPDATE answered SET at = at - ?", (2 * http.PAUSE * is_idle,))


def test_asked_again_is_truly_asked_and_kept_for_good(serve, folder):
    server, points = serve(), inputs(70)
    predict = build((4,), N_CLASSES, server.url, batch=20)
    predict(points)
    server.label = lambda inputs: [(label_of(values) + 1) % N_CLASSES for values in inputs]
    other = [(label + 1) % N_CLASSES for label in expected(points)]
    assert predict.again(points[:30]).tolist() == other[:30] and predict(points).tolist() == expected(points)
    again = build((4,), N_CLASSES, server.url)
    assert again.again(points[:30]).tolist() == other[:30] and sum(server.billed.values()) == 100
    ledger = Ledger(ledger_of(folder))
    assert (ledger.kept, ledger.kept_again, sent_to(server)) == (70, 30, 100)


def test_a_model_that_changed_in_a_pause_is_noticed_before_anything_else_is_sent(serve, folder):
    server, points = serve(), inputs(80)
    predict = build((4,), N_CLASSES, server.url, batch=30)
    predict(points[:60]), predict.again(points[:50])
    server.label = lambda inputs: [(label_of(values) + (values[0] < 0.4)) % N_CLASSES for values in inputs]
    changed = sum(values[0] < 0.4 for values in points[:50].tolist())
    wait(folder)
    message = (
        rf"^{server.url}: answers {changed} of 50 inputs otherwise than on \d{{4}}-\d\d-\d\d, when asked twice it "
    )
    message += "did so with 0 of 50: another model is there; give it another `revision`, so that it is asked anew$"
    for _ in range(2):  # the second time nothing is sent at all
        with pytest.raises(ValueError, match=message):
            build((4,), N_CLASSES, server.url, batch=30)(points)
        assert sum(server.billed.values()) == 160 and server.sizes[-2:] == [30, 20]
    assert build((4,), N_CLASSES, server.url)(points[:60]).tolist() == expected(points[:60])  # as these are known
    assert len(build((4,), N_CLASSES, server.url, revision="2")(points)) == 80
    server.label = lambda inputs: list(map(label_of, inputs))  # it was put back
    folder_of_both = [path for path in FOLDER.iterdir() if path.suffix == ".sqlite"]
    (old,) = (path for path in folder_of_both if Ledger(path).kept_again)
    for path in set(folder_of_both) - {old}:
        path.unlink()
    wait(folder)
    assert build((4,), N_CLASSES, server.url)(points).tolist() == expected(points)


def test_the_same_model_after_a_pause_costs_a_few_questions(serve, folder):
    server, points = serve(), inputs(100)
    predict = build((4,), N_CLASSES, server.url)
    predict(points[:60]), predict.again(points[:10])
    wait(folder, is_idle=False)
    predict(points[60:70])
    assert sum(server.billed.values()) == 80  # there was no pause
    wait(folder)
    predict(points)
    assert sum(server.billed.values()) == 80 + 10 + 30
    predict(points), build((4,), N_CLASSES, server.url)(points)
    assert sum(server.billed.values()) == 120


def test_a_look_at_the_model_that_was_cut_short_goes_on_where_it_was(serve, folder):
    server, points = serve((None, None, None, None, "401", None, None, None)), inputs(80)
    predict = build((4,), N_CLASSES, server.url, batch=25)
    predict(points[:25]), predict.again(points[:25]), predict(points[25:50]), predict.again(points[25:50])
    wait(folder)
    with pytest.raises(ValueError, match="401"):
        build((4,), N_CLASSES, server.url, batch=10)(points[:60])
    for _ in range(2):
        assert build((4,), N_CLASSES, server.url, batch=10)(points[:60]).tolist() == expected(points[:60])
    assert sum(server.billed.values()) == 100 + 50 + 10


def test_a_model_that_answers_at_random_now_and_then_is_no_other_one(serve, folder):
    draw, points = random.Random(0), inputs(1000)

    def label(inputs):
        return [label_of(values) if draw.random() > 0.05 else draw.randrange(N_CLASSES) for values in inputs]

    server = serve(label=label)
    predict = build((4,), N_CLASSES, server.url)
    predict(points[:100])
    assert 0 < (predict.again(points[:50]) != predict(points[:50])).mean() < 0.2
    for start in range(100, 1000, 100):
        wait(folder)
        predict(points[: start + 100])
    assert sum(server.billed.values()) == 1000 + 50 + 9 * 50


@pytest.mark.parametrize("share", [0.001, 0.02, 0.1, 0.3, 0.5])
def test_the_same_model_is_called_another_one_no_more_often_than_the_level_says(share):
    """Exactly: over all pairs of counts, each with the probability of both, at one look after the other."""
    n, looks = 50, range(1, 11)
    counts = [(a, b) for a in range(n + 1) for b in range(n + 1)]
    chance = [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    alarms = [[(a, b) for a, b in counts if Repeats(n, a, 0.0, n, b, look).tells_another_model] for look in looks]
    assert sum(chance[a] * chance[b] for of_look in alarms for a, b in of_look) <= LEVEL
    assert (0, 8) in alarms[0] and (0, 7) not in alarms[0] and (0, 13) in alarms[9] and (0, 12) not in alarms[9]


def test_looks_are_counted_for_good_and_once_for_the_same_answers(serve, folder):
    server, points = serve(), inputs(100)
    predict = build((4,), N_CLASSES, server.url)
    predict(points[:60]), predict.again(points[:50])
    for number in range(1, 4):
        wait(folder)
        build((4,), N_CLASSES, server.url)(points[: 60 + 10 * number])
        found = Ledger(ledger_of(folder)).repeats()
        assert found is not None and found.look == number
    server.label = lambda inputs: [(label_of(values) + 1) % N_CLASSES for values in inputs]
    wait(folder)
    for _ in range(3):  # of which the latter two ask nothing anew
        with pytest.raises(ValueError, match="another model is there"):
            build((4,), N_CLASSES, server.url)(points)
    found = Ledger(ledger_of(folder)).repeats()
    assert found is not None and found.look == 4


def test_a_ledger_of_an_earlier_version_goes_on(serve, folder):
    server, points = serve(), inputs(30)
    predict = build((4,), N_CLASSES, server.url)
    predict(points[:20])
    with contextlib.closing(sqlite3.connect(ledger_of(folder))) as file, file:
        for table in ("answered", "again", "looks"):
            file.execute(f"DROP TABLE {table}")
    again = build((4,), N_CLASSES, server.url)
    assert again(points).tolist() == expected(points) == again.again(points).tolist()
    assert sum(server.billed.values()) == 60


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
    assert not [file for file in FOLDER.iterdir() if b"s3cret" in file.read_bytes()]


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
    (file,) = (path for path in FOLDER.iterdir() if path.suffix == ".sqlite")
    assert Ledger(file).kept == 0 and sent_to(server) == 3


def test_inputs_are_sent_no_faster_than_is_asked_for(serve):
    server, start = serve(), time.monotonic()
    build((4,), N_CLASSES, server.url, batch=10, per_second=100)(inputs(40))
    assert time.monotonic() - start >= 0.4


def test_an_input_is_known_by_its_values_and_shape():
    one = np.arange(4, dtype=np.float32)
    assert key_of(one) == key_of(one.astype(float)) != key_of(one.reshape(2, 2)) and key_of(one) != key_of(one + 1)


def test_a_record_is_known_by_its_values_whatever_the_other_records_have():
    """One more record without an age makes floats of all ages."""
    one = {"age": 41, "town": "A", "rich": True, "income": 0.5}
    assert key_of(one) == key_of({"town": "A", "age": 41.0, "income": 0.5, "rich": True})
    others = [one | change for change in ({"age": 42}, {"age": None}, {"town": "B"}, {"income": 5}, {"age": "41"})]
    assert len({key_of(one), *map(key_of, others)}) == 6


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
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected(inputs(n)) and kills
    billed = sum(server.billed.values())
    assert n <= billed <= n + kills * batch + server.lost
    again = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert again.stdout == done.stdout and sum(server.billed.values()) == billed


def test_headers_that_may_choose_the_model_have_ledgers_of_their_own_and_keys_have_none(serve, monkeypatch):
    server, points = serve(), inputs(5)
    monkeypatch.setenv("LMIA_TEST_KEY", "one")
    for headers, billed in (
        ({"X-Model": "0"}, 5),
        ({"X-Model": "2"}, 10),
        ({"X-Model": "2", "Key": "$LMIA_TEST_KEY"}, 15),
        ({"key": "$ANOTHER_KEY", "x-model": "2"}, 15),  # answered, so that nothing is read or sent
    ):
        build((4,), N_CLASSES, server.url, headers=headers)(points)
        assert sum(server.billed.values()) == billed


def test_what_may_be_sent_to_an_address_counts_all_models_there(serve):
    server, points = serve(), inputs(10)
    build((4,), N_CLASSES, server.url, revision="a", most=10)(points)
    with pytest.raises(OverBudget, match="^most: 10: 10 inputs were sent, and 10 more are asked for"):
        build((4,), N_CLASSES, server.url, revision="b", most=10)(points)
    assert sum(server.billed.values()) == 10


@pytest.mark.parametrize("value", ["s3cret\nmore", "s3cret-\u20ac", " \n"])
def test_a_secret_that_cannot_be_sent_is_refused_unseen_and_counts_for_nothing(serve, monkeypatch, value):
    server = serve()
    monkeypatch.setenv("LMIA_TEST_KEY", value)
    with pytest.raises(ValueError, match=r"^headers.X-Key: \$LMIA_TEST_KEY: expected one line of ASCII") as error:
        build((4,), N_CLASSES, server.url, headers={"X-Key": "$LMIA_TEST_KEY"})(inputs(1))
    assert "s3cret" not in "".join(traceback.format_exception(error.value)) and sent_to(server) == 0
    monkeypatch.setenv("LMIA_TEST_KEY", "s3cret\n")
    build((4,), N_CLASSES, server.url, headers={"X-Key": "$LMIA_TEST_KEY"})(inputs(1))
    assert server.headers["X-Key"] == "s3cret"


def test_a_server_that_repeats_a_secret_does_not_make_it_known(serve, monkeypatch):
    monkeypatch.setenv("LMIA_TEST_KEY", "s3cret")
    for answer in (lambda labels: {"unknown key": "s3cret"}, lambda labels: "s3cret is no key"):
        predict = build((4,), N_CLASSES, serve(answer=answer).url, headers={"X-Key": "$LMIA_TEST_KEY"})
        with pytest.raises(ValueError, match="LMIA_TEST_KEY") as error:
            predict(inputs(1))
        assert "s3cret" not in "".join(traceback.format_exception(error.value))


def test_secrets_are_not_sent_on_to_another_address(serve):
    there = serve()
    server = serve(redirect=there.url)
    with pytest.raises(ValueError, match=f"^{server.url}: is elsewhere, at {there.url}, where nothing was sent"):
        build((4,), N_CLASSES, server.url, headers={"X-Key": "0"})(inputs(1))
    assert not there.headers


@pytest.mark.parametrize("after", ["60", "86400"])
def test_a_server_that_is_busy_for_longer_than_patience_is_not_waited_for(serve, after):
    server, start = serve(("429",), after=after), time.monotonic()
    with pytest.raises(Busy, match="status 429$"):
        build((4,), N_CLASSES, server.url, patience=30)(inputs(1))
    assert time.monotonic() - start < 10 and sent_to(server) == 1


@pytest.mark.parametrize("after", ["0", "-3", "inf", "nan", "soon"])
def test_a_busy_server_is_asked_again_no_sooner_than_it_would_be_anyway(serve, monkeypatch, after):
    """By a clock that stands still but for what is waited."""
    waited = []
    monkeypatch.setattr(http.tenacity, "wait_random_exponential", lambda max: lambda state: 1.0)
    monkeypatch.setattr(http.tenacity, "time", SimpleNamespace(monotonic=lambda: sum(waited)))
    monkeypatch.setattr(http.tenacity.nap, "time", SimpleNamespace(sleep=waited.append))
    server = serve(("429",), after=after)
    with pytest.raises(Busy):
        build((4,), N_CLASSES, server.url, patience=4.5)(inputs(1))
    assert waited == [1.0] * 4 and sent_to(server) == 5


def test_an_answer_that_is_cut_off_is_asked_for_again(serve):
    server, points = serve(("cut", None)), inputs(5)
    assert build((4,), N_CLASSES, server.url)(points).tolist() == expected(points) and sent_to(server) == 10


def test_what_never_reached_the_server_is_not_counted(serve, monkeypatch):
    server = serve()
    server.close()
    with pytest.raises(Busy, match="no answer"):
        build((4,), N_CLASSES, server.url, patience=0.05, most=3)(inputs(3))
    reason = sending.SSLError(ssl.SSLCertVerificationError(1, "no such authority"))
    asked = []

    def post(*_, **__):
        asked.append(1)
        raise requests.exceptions.SSLError(sending.MaxRetryError(None, "/", reason))

    monkeypatch.setattr(requests.Session, "post", post)
    with pytest.raises(ValueError, match=r"no answer \(SSLError\)"):
        build((4,), N_CLASSES, server.url, most=3)(inputs(3))
    assert sent_to(server) == 0 and len(asked) == 1


def test_time_that_an_answer_takes_counts_for_the_pace(serve, monkeypatch):
    """Each takes longer here than a batch may, so nothing is waited for besides."""
    pause, waited = time.sleep, []

    def slow(inputs):
        pause(0.25)
        return list(map(label_of, inputs))

    monkeypatch.setattr(http.time, "sleep", waited.append)
    build((4,), N_CLASSES, serve(label=slow).url, batch=10, per_second=50)(inputs(30))
    assert len(waited) == 3 and sum(waited) == 0
