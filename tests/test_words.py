"""What people read is short, and has no phrases that one must read twice."""

import re
from statistics import mean

import pytest

from model.config import REPOSITORY

FOLDERS = [".", "data", "deploy", "models", "src/app", "src/study"]
MAX_MEAN_WORDS = 16  # of a sentence
MAX_LINES = 150  # of README.md
NO_SENTENCES = re.compile(  # a YAML head, code, comments and tags of HTML, tables, headings
    r"\A---\n.*?^---$|^ *(```|~~~).*?^ *\1$|<!--.*?-->|<[^>]+>|^ *\|.*?$|^#.*?$",
    re.DOTALL | re.MULTILINE,
)
READ_TWICE = re.compile(
    r"(?<!1 )of which|where (it|there|they|that) (is|are|was|were) (none|no)\b|(it|that) is none"
    r"|what is no\b|whoever|at first sight|makes? confidence honest|deaf to|of our own\b"
    r"|by no hand|no matter any more|holds? them to it|than digits here",
    re.IGNORECASE,
)


def sentences(markdown: str) -> list[str]:
    """The sentences of a page. Inline code is one word, and an item of a list ends a sentence."""
    text = NO_SENTENCES.sub("\n\n", markdown)
    text = re.sub(r"`[^`]+`", "code", text)
    text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", text)  # of links and pictures the text
    text = re.sub(r"^ *([-*]|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
    return [
        sentence
        for paragraph in re.split(r"\n\s*\n", text)
        for sentence in re.split(r"(?<=[.!?])[*)\"]*\s+", " ".join(paragraph.split()))
        if re.search(r"\w", sentence)
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_sentences_are_short(folder):
    found = sentences((REPOSITORY / folder / "README.md").read_text())
    longest = sorted(found, key=lambda sentence: -len(sentence.split()))[:5]
    average = mean(len(sentence.split()) for sentence in found)
    assert average <= MAX_MEAN_WORDS, "\n".join([f"{folder}/README.md: {average:.1f}", *longest])


def test_the_readme_is_read_in_a_few_minutes():
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("pattern", ["*.md", "[a-z]*/**/*.md", "src/**/*.py", "src/**/en.toml"])
def test_no_phrase_must_be_read_twice(pattern):
    texts = {path: path.read_text() for path in REPOSITORY.glob(pattern)}
    found = {
        f"{path.relative_to(REPOSITORY)}: {match[0]}"
        for path, text in texts.items()
        for match in READ_TWICE.finditer(re.sub(r"\s+(# )?", " ", text))
    }
    assert texts and found == set()
