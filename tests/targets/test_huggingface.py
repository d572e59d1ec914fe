"""Classifiers of Hugging Face's answer as they do there, are kept as their bytes, fetch nothing and run no code."""

import io
import json
import pickle
import shutil
import socket
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch

from lmia import plugins
from lmia.label_function import as_network
from lmia.models.checkpoints import restore, to_arrays
from lmia.queries.oracle import LabelOracle
from lmia.table import Table
from lmia.targets.huggingface_folders import files_of
from tests.targets.huggingface_models import image_classifier, need, other_classifier, text_classifier

DRAW = np.random.default_rng(0)
WORDS = ["good", "bad", "the", "film", "was", "and", "plot"]
REVIEWS = [" ".join(DRAW.choice(WORDS, DRAW.integers(1, 20))) for _ in range(150)]
IS_GOOD = [int(text.count("good") > text.count("bad")) for text in REVIEWS]
NAMES = {0: "poor", 1: "fine"}
TABLE = Table.of(pd.DataFrame({"review": REVIEWS}), np.where(np.arange(150) % 3, "fine", "poor"), texts=["review"])
TEXTS = TABLE.encode(pd.DataFrame({"review": REVIEWS}))
UNNAMED = Table.of(pd.DataFrame({"review": REVIEWS}), np.arange(150) % 2, texts=["review"])
IMAGES = DRAW.random((60, 3, 8, 8), dtype=np.float32)


def built(n_classes, table=None):
    return as_network(plugins.load("targets", "huggingface").build((3,), n_classes), n_classes, table)


def opened(folder, n_classes, table=None):
    """What the workflow asks, from the folder, and again from the arrays that it is kept as."""
    network = built(n_classes, table)
    plugins.load("targets", "huggingface").load(network, folder)
    return network.eval(), restore(built(n_classes, table), to_arrays(network, 4), 4)


@pytest.fixture(scope="module")
def of_texts(tmp_path_factory):
    """(folder, the number of the largest logit of each of REVIEWS)."""
    need()
    folder = tmp_path_factory.mktemp("texts") / "model"
    ask = text_classifier(folder, WORDS, NAMES, REVIEWS, IS_GOOD, epochs=10)
    return folder, ask(REVIEWS)


@pytest.fixture
def folder(of_texts, tmp_path):
    """A copy of the folder, to change."""
    shutil.copytree(of_texts[0], tmp_path / "copy")
    return tmp_path / "copy"


def configure(folder, **options):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | options))


def test_a_text_is_labelled_as_the_model_does(of_texts):
    folder, numbers = of_texts
    assert 10 < numbers.sum() < 140
    expected = np.where(numbers == 1, 0, 1)  # "fine" is class 0 here, and number 1 there
    for network in opened(folder, 2, TABLE):
        assert network(torch.from_numpy(TEXTS)).argmax(1).tolist() == expected.tolist()
        assert network.runtime.startswith("transformers 5.") and "tokenizers 0." in network.runtime


def test_out_of_memory_halves_the_batch_and_is_no_fault_of_the_folder(of_texts, capsys):
    network, _ = opened(of_texts[0], 2, TABLE)
    expected = network(torch.from_numpy(TEXTS))

    def refuse(model, inputs, named):
        if len(named["input_ids"]) > 7:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    network._held[0].register_forward_pre_hook(refuse, with_kwargs=True)
    assert torch.equal(network(torch.from_numpy(TEXTS)), expected)
    assert "out of memory with a batch of 32; going on with 16" in capsys.readouterr().out


def test_labels_do_not_depend_on_who_else_is_asked(of_texts):
    network, _ = opened(of_texts[0], 2, TABLE)
    together = network(torch.from_numpy(TEXTS)).argmax(1)
    alone = torch.cat([network(torch.from_numpy(TEXTS[row : row + 1])).argmax(1) for row in range(40)])
    assert torch.equal(alone, together[:40])


def test_a_model_of_16_bits_is_given_whole_texts(tmp_path):
    need()
    ask = text_classifier(tmp_path, WORDS, NAMES, REVIEWS, IS_GOOD, epochs=10, dtype=torch.bfloat16)
    for network in opened(tmp_path, 2, TABLE):
        oracle = LabelOracle(network, len(TEXTS), budget=1)
        labels = oracle(torch.from_numpy(TEXTS), np.arange(len(TEXTS)))
        assert (labels != torch.from_numpy(1 - ask(REVIEWS))).float().mean() < 0.05  # batches round otherwise
        assert oracle.dtype == torch.float32 and network.to("cpu").runtime


def test_the_same_folder_is_kept_as_the_same_bytes(of_texts, folder):
    (folder / "README.md").write_text("not read")
    (folder / "training_args.bin").write_bytes(pickle.dumps(Payload()))  # as its Trainer leaves it; nor is that
    for path in folder.iterdir():
        path.touch()
    kept = [to_arrays(opened(path, 2, TABLE)[0], 0)["0/file"].tobytes() for path in (of_texts[0], folder)]
    assert kept[0] == kept[1]
    files = zipfile.ZipFile(io.BytesIO(kept[0])).infolist()
    assert {file.date_time for file in files} == {(1980, 1, 1, 0, 0, 0)}
    assert [file.filename for file in files] == [path.name for path in files_of(folder)]


def test_classes_without_names_go_by_their_numbers(of_texts, folder):
    configure(folder, id2label={"0": "LABEL_0", "1": "LABEL_1"}, label2id={"LABEL_0": 0, "LABEL_1": 1})
    network, _ = opened(folder, 2, TABLE)
    assert network(torch.from_numpy(TEXTS)).argmax(1).tolist() == of_texts[1].tolist()
    numbers = Table.of(pd.DataFrame({"review": REVIEWS}), np.arange(150) % 2, texts=["review"])
    network, _ = opened(of_texts[0], 2, numbers)  # with names of its own for them
    assert network(torch.from_numpy(TEXTS)).argmax(1).tolist() == of_texts[1].tolist()
    with pytest.raises(ValueError, match="^the model has 2 classes, and the data set 3; it is another model's$"):
        opened(folder, 3, Table.of(pd.DataFrame({"review": REVIEWS}), np.arange(150) % 3, texts=["review"]))


def test_other_names_of_classes_are_refused(of_texts):
    table = Table.of(pd.DataFrame({"review": REVIEWS}), np.where(np.arange(150) % 2, "a", "b"), texts=["review"])
    message = "^the model has classes poor, fine, and the data set a, b; name them in id2label of config.json as"
    with pytest.raises(ValueError, match=message):
        opened(of_texts[0], 2, table)


@pytest.mark.parametrize(
    "values, names, expected",
    [
        ([False, True], ["1", "0"], [1, 0]),
        ([False, True], ["true", "false"], [1, 0]),
        ([False, True], ["no", "yes"], [0, 1]),
        ([0.0, 1.0], ["1", "0"], [1, 0]),
        ([1, 2], ["2", "1"], [1, 0]),
        ([1, 2], ["0", "1"], [0, 1]),
    ],
)
def test_classes_that_are_no_texts_go_by_names_that_are_their_values(values, names, expected, of_texts, folder):
    configure(folder, id2label=dict(enumerate(names)))
    labels = np.array(values)[np.arange(150) % 2]
    network, _ = opened(folder, 2, Table.of(pd.DataFrame({"review": REVIEWS}), labels, texts=["review"]))
    assert network(torch.from_numpy(TEXTS)).argmax(1).tolist() == np.array(expected)[of_texts[1]].tolist()


def test_numbers_in_another_order_that_are_no_labels_are_refused(folder):
    configure(folder, id2label={0: "1", 1: "0"})
    table = Table.of(pd.DataFrame({"review": REVIEWS}), 1 + np.arange(150) % 2, texts=["review"])
    with pytest.raises(ValueError, match="^the model has classes 1, 0, and the data set 1, 2; name them in id2label"):
        opened(folder, 2, table)


@pytest.mark.parametrize("pad_token, pad_id", [("[PAD]", 0), ("[PAD]", None), (None, 0), (None, None), ("[UNK]", 0)])
def test_models_and_tokenizers_with_and_without_padding_are_asked(pad_token, pad_id, tmp_path):
    need()
    other_classifier(tmp_path, "GPT2", WORDS, pad_token, pad_id, n_embd=32, n_layer=1, n_head=2)
    network, _ = opened(tmp_path, 2, UNNAMED)
    together = network(torch.from_numpy(TEXTS)).argmax(1)
    alone = torch.cat([network(torch.from_numpy(TEXTS[row : row + 1])).argmax(1) for row in range(40)])
    assert torch.equal(alone, together[:40]) and 0 < together.sum() < 150


def test_a_text_without_a_token_is_asked(tmp_path):
    need()
    other_classifier(tmp_path, "GPT2", WORDS, "[PAD]", 0, n_embd=32, n_layer=1, n_head=2)
    frame = pd.DataFrame({"review": ["", *REVIEWS[1:]]})
    network, _ = opened(tmp_path, 2, Table.of(frame, np.arange(150) % 2, texts=["review"]))
    inputs = torch.from_numpy(network.table.encode(frame))
    assert torch.equal(network(inputs[:1]).argmax(1), network(inputs).argmax(1)[:1])


def test_texts_are_cut_to_the_positions_that_robertas_kind_counts_from_padding(tmp_path):
    need()
    size = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 32, "intermediate_size": 32}
    other_classifier(tmp_path, "Roberta", WORDS, "[PAD]", 0, max_position_embeddings=12, **size)
    network, _ = opened(tmp_path, 2, UNNAMED)
    short = TABLE.encode(pd.DataFrame({"review": [" ".join(text.split()[:11]) for text in REVIEWS]}))
    found = network(torch.from_numpy(TEXTS)).argmax(1)
    assert max(len(text.split()) for text in REVIEWS) > 12
    assert torch.equal(found, network(torch.from_numpy(short)).argmax(1))


def test_an_image_is_labelled_as_the_model_does(tmp_path):
    need()
    ask = image_classifier(tmp_path / "model", IMAGES, np.arange(60) % 3, 8)
    expected = ask(IMAGES)
    assert len(set(expected.tolist())) > 1
    for network in opened(tmp_path / "model", 3):
        assert network(torch.from_numpy(IMAGES)).argmax(1).tolist() == expected.tolist()
        assert "torchvision" in network.runtime
    with pytest.raises(ValueError, match=r"takes images of shape \(channels, height, width\), got \(3,\)"):
        opened(tmp_path / "model", 3)[0](torch.rand(2, 3))
    path = tmp_path / "model/preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rescale_factor": 1 / 127.5}))
    with pytest.raises(ValueError, match="rescale_factor: expected 1/255, as of inputs in"):
        opened(tmp_path / "model", 3)


def test_nothing_is_fetched(of_texts, folder, monkeypatch):
    """Where a part is missing, too."""

    def connect(self, address):
        raise AssertionError(f"connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    opened(of_texts[0], 2, TABLE)
    for path in folder.glob("tokenizer*"):
        path.unlink()
    configure(folder, _name_or_path="bert-base-uncased")
    with pytest.raises(ValueError, match="^expected a classifier and its tokenizer or image processor, as") as error:
        opened(folder, 2, TABLE)
    assert "\n" not in str(error.value)


class Payload:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return open, ("canary", "w")


def with_pickle(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload()))


def with_two(folder):
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload()))


def with_code(folder):
    (folder / "modeling_mine.py").write_text("open('canary', 'w')\n")
    configure(folder, auto_map={"AutoModelForSequenceClassification": "modeling_mine.Mine"})


def with_code_elsewhere(folder):
    path = folder / "tokenizer_config.json"
    content = json.loads(path.read_text()) | {"auto_map": {"AutoTokenizer": ["them/theirs--code.Tokenizer", None]}}
    path.write_text(json.dumps(content))


def with_a_nested_key(folder):
    configure(folder, task_specific_params={"all": [{"trust_remote_code": True}]})


def with_weights_elsewhere(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../x.safetensors"}}))


REFUSED = {
    with_pickle: "pytorch_model.bin: could run what it likes, and is not read; save the model by save_pretrained",
    with_two: "pytorch_model.bin: could run what it likes",
    with_code: "modeling_mine.py: could run what it likes",
    with_code_elsewhere: "tokenizer_config.json: auto_map: names code of its own, which is not run; take it out",
    with_a_nested_key: "config.json: trust_remote_code: names code of its own",
    with_weights_elsewhere: "model.safetensors.index.json: expected names of safetensors beside it, got '../x",
    lambda folder: (folder / "config.json").unlink(): "expected a model, as save_pretrained writes it, found no config",
    lambda folder: (folder / "model.safetensors").unlink(): "expected weights as safetensors, found no model.safetens",
    lambda folder: (folder / "config.json").write_text("{"): "config.json: expected JSON, as save_pretrained writes it",
}


@pytest.mark.parametrize("spoil", REFUSED)
def test_what_could_be_a_program_is_refused_and_not_run(spoil, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spoil(folder)
    for look in (files_of, lambda folder: opened(folder, 2, TABLE)):
        with pytest.raises(ValueError, match=f"^{REFUSED[spoil]}") as error:
            look(folder)
        assert "\n" not in str(error.value)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("value", [{}, False])
def test_a_key_that_names_no_code_is_no_program(value, of_texts, folder):
    configure(folder, trust_remote_code=value, auto_map={})
    network, _ = opened(folder, 2, TABLE)
    assert network(torch.from_numpy(TEXTS)).argmax(1).tolist() == (1 - of_texts[1]).tolist()


def test_what_is_unpickled_is_run(tmp_path, monkeypatch):
    """So the test above can fail."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Payload())).close()
    assert (tmp_path / "canary").exists()


def test_weights_in_parts_are_read(tmp_path):
    need()
    ask = text_classifier(tmp_path / "parts", WORDS, NAMES, REVIEWS, IS_GOOD, epochs=10, max_shard_size="20KB")
    assert len(list((tmp_path / "parts").glob("model-*.safetensors"))) > 1
    network, _ = opened(tmp_path / "parts", 2, TABLE)
    assert network(torch.from_numpy(TEXTS)).argmax(1).tolist() == (1 - ask(REVIEWS)).tolist()
    next((tmp_path / "parts").glob("model-*2-of-*.safetensors")).unlink()
    with pytest.raises(ValueError, match="^expected weights as safetensors, found no model-00002-of-"):
        opened(tmp_path / "parts", 2, TABLE)


def test_a_model_without_its_last_layer_is_refused(of_texts, folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="no weights for classifier.bias; save the classifier that was trained"):
        opened(folder, 2, TABLE)


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_a_model_of_anything_but_classes_is_refused(problem, folder):
    configure(folder, problem_type=problem)
    with pytest.raises(ValueError, match="its answers are numbers, or several classes at a time"):
        opened(folder, 2, TABLE)


def test_a_missing_package_is_named(of_texts, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match="^needs transformers, which is not installed; pip install"):
        opened(of_texts[0], 2, TABLE)


def test_records_of_more_than_one_text_are_refused(of_texts):
    frame = pd.DataFrame({"title": REVIEWS, "review": REVIEWS})
    table = Table.of(frame, np.where(np.arange(150) % 3, "fine", "poor"), texts=list(frame))
    network, _ = opened(of_texts[0], 2, table)
    with pytest.raises(
        ValueError, match="^takes one text, and records have title, review; name the others in leave_ou"
    ):
        network(torch.from_numpy(table.encode(frame)[:2]))
