"""What differs and what does not, in words and with significance."""

from study.comparison import Comparison
from study.permutations import IN_ORDER, PERMUTED
from study.runs import AUGMENTATIONS, DEFAULT_NETWORKS, SMALL_MLP, SMALL_MLP_AUGMENTATION, Cell
from study.statistics import Difference
from study.tables import NAMES, PIXELS, seeds_of, table

CONFIDENCE = 0.95  # that all intervals hold at once (Bonferroni)
NOT_SHOWN = "no difference shown"


def differences(comparison: Comparison) -> dict[str, dict[str, Difference]]:
    """Return all comparisons that the text speaks of: question -> augmentation -> difference.

    Their intervals hold all at once with probability CONFIDENCE.
    """
    pairs: dict[str, dict[str, tuple[list[Cell], list[Cell]]]] = {}

    def ask(question: str, augmentation: str, cells: list[Cell], others: list[Cell]) -> None:
        if comparison.results(cells) and comparison.results(others):
            pairs.setdefault(question, {})[augmentation] = cells, others

    for augmentation in AUGMENTATIONS:
        cells = {
            (network, pixels): seeds_of(network, pixels, augmentation)
            for network in (*DEFAULT_NETWORKS, SMALL_MLP)
            for pixels in PIXELS
        }
        for pixels in PIXELS:
            question = f"CNN against MLP, pixels {pixels}"
            ask(question, augmentation, cells["cnn", pixels], cells["mlp", pixels])
        for network in DEFAULT_NETWORKS:
            question = f"{NAMES[network]}, pixels permuted against in order"
            ask(question, augmentation, cells[network, PERMUTED], cells[network, IN_ORDER])
        if augmentation == SMALL_MLP_AUGMENTATION:
            for pixels in PIXELS:
                question = f"CNN against an MLP with as many parameters, pixels {pixels}"
                ask(question, augmentation, cells["cnn", pixels], cells[SMALL_MLP, pixels])
        if augmentation != "none":
            for network in DEFAULT_NETWORKS:
                question = f"{NAMES[network]}, pixels in order, augmentation against none"
                none = seeds_of(network, IN_ORDER, "none")
                ask(question, augmentation, cells[network, IN_ORDER], none)
    count = sum(map(len, pairs.values()))
    level = 1 - (1 - CONFIDENCE) / max(1, count)
    return {
        question: {
            augmentation: comparison.difference(*sets, level)
            for augmentation, sets in by_augmentation.items()
        }
        for question, by_augmentation in pairs.items()
    }


def differences_table(comparison: Comparison) -> str:
    """Return every difference with interval, McNemar's p and verdict."""
    rows = []
    for question, by_augmentation in differences(comparison).items():
        for augmentation, d in by_augmentation.items():
            verdict = _verdict(d)
            p = "< 0.0001" if d.mcnemar < 1e-4 else f"{d.mcnemar:.4f}"
            interval = f"{d.low:+.2f} to {d.high:+.2f}"
            rows.append([question, augmentation, f"{d.points:+.2f}", interval, p, verdict])
    return (
        f"Points are of accuracy on the {comparison.common['data']['test']:,} test pictures, over "
        "all seeds. The intervals come "
        "from a paired bootstrap over test pictures and seeds, and hold all at once with "
        f"{100 * CONFIDENCE:g} % confidence (Bonferroni); the verdict is theirs. McNemar's exact "
        "test compares the two networks of the first seed alone.\n\n"
        + table(["", "augmentation", "points", "interval", "McNemar's p", "verdict"], rows)
    )


def findings(comparison: Comparison) -> str:
    """Return one sentence a question: no difference is claimed that its interval does not show."""
    lines = []
    for question, by_augmentation in differences(comparison).items():
        groups: dict[str, dict[str, float]] = {}
        for augmentation, d in by_augmentation.items():
            groups.setdefault(_verdict(d), {})[augmentation] = abs(d.points)
        said = [_say(verdict, sizes) for verdict, sizes in groups.items()]
        lines.append(f"- {question}: {'; '.join(said)}.")
    return "\n".join(lines)


def _say(verdict: str, sizes: dict[str, float]) -> str:
    where = ", ".join(sizes)
    if verdict == NOT_SHOWN:
        return f"{verdict} ({where})"
    low, high = f"{min(sizes.values()):.2f}", f"{max(sizes.values()):.2f}"
    points = low if low == high else f"{low} to {high}"
    return f"{verdict} by {points} points ({where})"


def _verdict(difference: Difference) -> str:
    if not difference.shown:
        return NOT_SHOWN
    return "more accurate" if difference.points > 0 else "less accurate"
