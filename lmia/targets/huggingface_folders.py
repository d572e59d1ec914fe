"""Which files of a folder of Hugging Face's make its model, and which folders are programs, or hold some."""

import json
import os
from pathlib import Path
from typing import Any

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # of weights in parts
VOCABULARIES = {  # of tokenizers, one of which is enough
    *("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model"),
    *("sentencepiece.bpe.model", "sentencepiece.model", "spm.model"),
}
READ = VOCABULARIES | {  # beside the weights, where they are there
    *(CONFIG, "preprocessor_config.json", "processor_config.json", "tokenizer_config.json"),
    *("special_tokens_map.json", "added_tokens.json", "merges.txt", "bpe.codes"),
}
PROGRAMS = (".py", ".pyc", ".so", ".pkl", ".pickle", ".joblib")
NAMING_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")  # of null, transformers cannot read the first
PICKLED = "pytorch_model"  # how names of weights begin that are unpickled


def files_of(folder: str | os.PathLike[str]) -> list[Path]:
    """The files that make a model, as save_pretrained writes them, in the order of their names.

    Raises ValueError, of one line, where there is no such model, where its weights are no safetensors, and where
    anything is a program or names one. Nothing is executed. OSError where there is no folder.
    """
    names = sorted(os.listdir(folder))
    for name in names:
        if name.endswith(PROGRAMS) or name.startswith(PICKLED):
            raise ValueError(
                f"{name}: could run what it likes, and is not read; save the model by save_pretrained, which writes "
                "safetensors, into a folder of its own"
            )
    if CONFIG not in names:
        raise ValueError(f"expected a model, as save_pretrained writes it, found no {CONFIG}")
    weights = {WEIGHTS} if WEIGHTS in names else _parts(Path(folder)) if INDEX in names else set()
    if missing := sorted(weights - set(names)) or [WEIGHTS] * (not weights):
        raise ValueError(f"expected weights as safetensors, found no {missing[0]}; save the model by save_pretrained")
    wanted = [Path(folder) / name for name in names if name in READ | weights | {INDEX} & set(names)]
    for path in wanted:
        if not path.is_file():
            raise ValueError(f"{path.name}: expected a file, found none")
        if path.suffix == ".json" and (key := _program_in(_content(path))):
            raise ValueError(f"{path.name}: {key}: names code of its own, which is not run; take it out if unused")
    return wanted


def _parts(folder: Path) -> set[str]:
    """Names of the files that an index of weights names."""
    stated = _content(folder / INDEX)
    parts = stated.get("weight_map") if isinstance(stated, dict) else None
    names = set(parts.values()) if isinstance(parts, dict) and all(isinstance(n, str) for n in parts.values()) else {""}
    if strange := [name for name in names if not name.endswith(".safetensors") or os.path.basename(name) != name]:
        raise ValueError(f"{INDEX}: expected names of safetensors beside it, got {strange[0]!r}")
    return names


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name}: expected JSON, as save_pretrained writes it ({error})") from error


def _program_in(content: Any) -> str | None:
    """The key that names code to be run, wherever it stands; None where there is none, or it says no."""
    pending = [content]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if found := [key for key in NAMING_CODE if part.get(key, False) not in (False, {}, [])]:
                return found[0]
            pending += part.values()
        elif isinstance(part, list):
            pending += part
    return None
