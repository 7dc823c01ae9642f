"""README.md of a folder of models: a model card as Hugging Face's hub shows it.

Training writes it, and ``bash run.sh evaluate PATH... --record``. Its text is in ``readme.md``
beside this module. Its numbers come from the cards in the ``.onnx`` files and from
``evaluation.json``, which keeps what was measured, and the sha256 of each file that took part.
"""

import hashlib
import json
from pathlib import Path
from string import Template

import pandas as pd
from pydantic import BaseModel, TypeAdapter, ValidationError
from statsmodels.stats.proportion import proportion_confint

from errors import DataError
from model.card import Card, find_line_model, find_models, write_atomically
from model.classifier import Classifier
from model.config import MODELS_DIR

MARK = "# Written by bash run.sh"  # a page without it was written by the user
TEMPLATE = Path(__file__).with_suffix(".md")
INDEX = """
    - task: {{type: image-classification}}
      dataset: {{name: {data}, type: {data}, split: test}}
      metrics:
      - {{type: accuracy, value: {value:.4f}, name: {how}}}"""

Rows = dict[str, dict[str, object]]  # of a table: columns by the name of the row


class Record(BaseModel):
    """What one command measured.

    Attributes:
        model: its name.
        sha256: of the model's ``.onnx`` file and of the network for lines, by the file's name.
        tables: by their title.
    """

    model: str
    sha256: dict[str, str]
    tables: dict[str, Rows]


_RECORDS = TypeAdapter(dict[str, Record])


def load_records(folder: Path) -> dict[str, Record]:
    """Return what was measured, by command; a damaged evaluation.json is a ``DataError``."""
    path = folder / "evaluation.json"
    try:
        return _RECORDS.validate_json(path.read_bytes()) if path.exists() else {}
    except ValidationError as error:
        raise DataError(f"{path} is damaged: delete it, and measure anew.") from error


def record(model: Path, command: str, name: str, line: bool, tables: dict[str, Rows]) -> None:
    """Keep what a command measured beside the model file, and write the model card anew.

    Args:
        line: whether the network for lines took part.
    """
    files = [model, *([find_line_model(MODELS_DIR)] if line else [])]
    entry = Record(model=name, sha256={f.name: digest(f) for f in files}, tables=tables)
    text = _RECORDS.dump_json(load_records(model.parent) | {command: entry}, indent=1)
    write_atomically({model.parent / "evaluation.json": text + b"\n"})
    write_model_card(model.parent)


def digest(path: Path) -> str:
    """Return the sha256 of a file; it is empty if there is no such file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def is_current(entry: Record, folder: Path) -> bool:
    """Return whether all files are still those that were measured."""
    return all(
        digest((folder if (folder / name).is_file() else MODELS_DIR) / name) == sha256
        for name, sha256 in entry.sha256.items()
    )


def write_model_card(folder: Path) -> None:
    """Write README.md of a folder of models, unless the user has written one there."""
    page = folder / "README.md"
    if page.exists() and MARK not in page.read_text(errors="replace"):
        print(f"{page} is not a model card of ours: it stays as it is")
    else:
        write_atomically({page: model_card(folder).encode(errors="replace")})


def model_card(folder: Path) -> str:
    """Return the model card of all models in a folder, in Markdown."""
    cards = {name: Classifier.load(path).card for name, path in find_models(folder).items()}
    records = load_records(folder)
    current = {command: r for command, r in records.items() if is_current(r, folder)}
    return Template(TEMPLATE.read_text()).substitute(
        mark=MARK,
        index="\n".join(_index(card, current) for card in cards.values()),
        models=_table({name: _describe(card) for name, card in cards.items()}),
        results=_results(current) or "Nothing has been measured yet.",
        anew="\n".join(f"- `{command}`" for command in records if command not in current)
        or "All results are of the models that lie here.",
    )


def interval(count: int, total: int) -> str:
    """Return Wilson's 95 % interval of a share, in %."""
    low, high = proportion_confint(count, total, method="wilson")
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _describe(card: Card) -> dict[str, object]:
    correct, total = card.results.test_accuracy, card.data.get("test")
    wilson = f" ({interval(round(correct * total), total)})" if isinstance(total, int) else ""
    return {
        "parameters": f"{card.parameters:,}",
        "seed": card.training.get("seed"),
        "test digits": f"{total} of {card.data.get('source')}",
        "correct": f"{100 * correct:.2f}{wilson}",
        "rejected": f"{100 * card.results.test_rejected:.2f}",
    }


def _index(card: Card, records: dict[str, Record]) -> str:
    """Return the entry of a model in Hugging Face's model-index, in YAML."""
    how = "correct; read once, after training"
    found = {str(card.data.get("source")): (card.results.test_accuracy, how)}
    for command, entry in records.items():
        for title, rows in entry.tables.items() if entry.model == card.name else ():
            row = rows.get("all digits", rows.get("digits", {}))
            if isinstance(share := row.get("right and accepted"), float):
                found.setdefault(title, (share / 100, f"correct and not rejected; {command}"))
    results = [
        INDEX.format(data=json.dumps(d), value=v, how=json.dumps(h)) for d, (v, h) in found.items()
    ]
    return f"- name: {card.name}\n  results:{''.join(results)}"


def _results(records: dict[str, Record]) -> str:
    """Return a table for each title, the models one below the other, and its commands."""
    titles = dict.fromkeys(title for entry in records.values() for title in entry.tables)
    parts = []
    for title in titles:
        commands = [command for command, entry in records.items() if title in entry.tables]
        tables = [(records[c].model, records[c].tables[title]) for c in commands]
        keys = dict.fromkeys(key for _, rows in tables for key in rows)
        rows = {f"{k}; {model}": r[k] for k in keys for model, r in tables if k in r}
        by = ", ".join(f"`{command}`" for command in commands)
        parts.append(f"### {title}\n\n{_table(rows)}\n\nMeasured by {by}.")
    return "\n\n".join(parts)


def _table(rows: Rows) -> str:
    table = pd.DataFrame.from_dict(rows, orient="index").astype(object)
    return table.where(table.notna(), None).to_markdown(floatfmt=".1f", missingval="")


if __name__ == "__main__":
    write_model_card(MODELS_DIR)
