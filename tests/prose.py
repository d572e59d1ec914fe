"""Measures prose in Markdown: `python tests/prose.py FILE...` lists long sentences, and lines not of one sentence.

Code, tables, headings, images and HTML are left out, and so is bold text with a full stop at the head of a line.
Inline code is one word, and a link counts as its text.
A sentence ends with `.`, `!`, `?` or `:` at the end of its line, or with `.`, `!` or `?` before a capital letter.
"""

import re
import sys
from pathlib import Path

MAX_WORDS = 35
ABBREVIATIONS = re.compile(r"\b(?:e\.g|i\.e|et al|cf|vs|approx|resp|Fig|No|pp|[A-Z])\.$")
LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d+\.)\s+")
NOT_PROSE = re.compile(r"\s*(?:\||#|<|!\[[^\]]*\]\([^)]*\)|---+\s*$|\[[^\]]+\]:\s)")
END = re.compile(r"([.!?][)\]\"'*_]*)\s+(?=[\"'(*_\[]*[A-Z0-9])")
CLOSED = re.compile(r"[.!?:][)\]\"'*_]*$")


def prose_lines(text):
    """(line number, text, whether it opens a paragraph or list item) of all lines of prose."""
    fence, in_list, blank = "", False, True
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence, blank = "" if fence else mark[1][:3], True
        elif fence:
            continue
        elif not line.strip() or NOT_PROSE.match(line):
            blank = True
        elif LIST_ITEM.match(line):
            in_list, blank = True, False
            yield number, plain(LIST_ITEM.sub("", line, count=1)), True
        elif blank and line.startswith("    ") and not in_list:
            continue
        else:
            in_list = in_list and line.startswith(" ")
            yield number, plain(line), blank
            blank = False


def plain(line):
    """The line's words: inline code as one word, links as their text, nothing where a line is code alone."""
    if re.fullmatch(r"\s*`[^`]+`\s*", line):
        return ""
    line = re.sub(r"^\s*\*\*[^*]+[.:]\*\*\s+", "", line)
    line = re.sub(r"(`+).+?\1", "Code", line)
    line = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", line)
    return re.sub(r"<https?:[^>]*>", "Link", line).strip()


def split_sentences(text):
    """The sentences of one line."""
    sentences, start = [], 0
    for end in END.finditer(text):
        if not ABBREVIATIONS.search(text[start : end.end(1)].rstrip(")]\"'*_")):
            sentences.append(text[start : end.end(1)])
            start = end.end()
    return [*sentences, text[start:]]


def count_words(sentence):
    return sum(any(letter.isalnum() for letter in word) for word in sentence.split())


def measure(text):
    """(sentences as (line number, words), faults as (line number, message))."""
    sentences, faults = [], []
    rest = None  # (line number, text) of a sentence that its line did not end
    for number, line, opens in prose_lines(text):
        if not line:
            continue
        if rest and not opens:
            faults.append((rest[0], "a sentence that goes on in the next line"))
            number, line = rest[0], f"{rest[1]} {line}"
        elif rest:
            sentences.append((rest[0], count_words(rest[1])))
        *whole, last = split_sentences(line)
        if whole:
            faults.append((number, f"{len(whole) + 1} sentences in one line"))
        sentences += [(number, count_words(sentence)) for sentence in whole]
        rest = (number, last)
        if CLOSED.search(last):
            sentences.append((number, count_words(last)))
            rest = None
    if rest:
        sentences.append((rest[0], count_words(rest[1])))
    faults += [(number, f"a sentence of {words} words") for number, words in sentences if words > MAX_WORDS]
    return sentences, sorted(set(faults))


def main(files):
    failed = False
    for file in files:
        sentences, faults = measure(Path(file).read_text())
        for number, message in faults:
            print(f"{file}:{number}: {message}")
        words = [count for _, count in sentences] or [0]
        print(f"{file}: {len(words)} sentences, mean {sum(words) / len(words):.1f} words, longest {max(words)}")
        failed = failed or bool(faults)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
