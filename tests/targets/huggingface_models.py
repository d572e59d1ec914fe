"""Tiny classifiers of Hugging Face's in folders, made here."""

from functools import partial

import pytest
import torch

from lmia.targets.huggingface import imported


def need():
    """Skip without the packages; torchvision need not be there, and where it is broken, none is seen."""
    try:
        imported()
    except ValueError:
        pytest.skip("needs transformers: pip install -r requirements-audit.lock")


def text_classifier(folder, words, names, texts, numbers, epochs, dtype=torch.float32, **options):
    """Save a tiny BERT with a vocabulary of words, trained on texts and class numbers.

    names: {number: name of a class}; dtype: of its weights; options: of save_pretrained.

    Returns a function from texts to numbers of the largest logit, asked one by one.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *words])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]")
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=40, id2label=names, **size)
    with torch.random.fork_rng([]):
        torch.manual_seed(2)
        model = BertForSequenceClassification(config)
        prepare = partial(tokenizer, padding=True, return_tensors="pt")
        _train(model, lambda part: prepare([texts[row] for row in part]), numbers, epochs)
    model.to(dtype).eval().save_pretrained(folder, **options)
    tokenizer.save_pretrained(folder)

    @torch.inference_mode()
    def ask(texts):
        logits = [model(**tokenizer([text], return_tensors="pt")).logits[0] for text in texts]
        return torch.stack(logits).argmax(1).numpy()

    return ask


def image_classifier(folder, images, numbers, epochs):
    """Save a tiny ViT that sees images (n, 3, 8, 8) at 16 x 16, trained on them and their class numbers.

    Returns a function from images to numbers of the largest logit, asked one by one.
    """
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    processor = ViTImageProcessor(size={"height": 16, "width": 16})
    options = {"do_rescale": False, "input_data_format": "channels_first", "return_tensors": "pt"}
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        n_classes = int(max(numbers)) + 1
        model = ViTForImageClassification(ViTConfig(image_size=16, patch_size=4, num_labels=n_classes, **size))
        _train(model, lambda part: processor([images[row] for row in part], **options), numbers, epochs)
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)

    @torch.inference_mode()
    def ask(images):
        logits = [model(**processor([image], **options)).logits[0] for image in images]
        return torch.stack(logits).argmax(1).numpy()

    return ask


def other_classifier(folder, kind, words, pad_token=None, pad_id=None, **size):
    """Save a tiny classifier of another kind, as "Roberta" or "GPT2", that was not trained; no text gets a token more.

    pad_token: of the tokenizer, whose first word is "[PAD]"; pad_id: of the model.
    """
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", *words])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token=pad_token, unk_token="[UNK]"
    ).save_pretrained(folder)
    config = getattr(transformers, f"{kind}Config")(vocab_size=len(vocabulary), pad_token_id=pad_id, **size)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = getattr(transformers, f"{kind}ForSequenceClassification")(config)
    model.eval().save_pretrained(folder)
    return model


def _train(model, prepare, numbers, epochs):
    optimizer, numbers = torch.optim.Adam(model.parameters(), 3e-3), torch.as_tensor(numbers)
    for _ in range(epochs):
        for part in torch.randperm(len(numbers)).split(32):
            optimizer.zero_grad()
            model(**prepare(part.tolist()), labels=numbers[part]).loss.backward()
            optimizer.step()
