"""Where the lines of writing are: connected components, gathered into rows and set upright."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from model.numbers.line import INK

MAX_HEIGHT, MAX_WIDTH = 96, 3000  # pixels of a line; larger ones are scaled down
MAX_COMPONENTS = 150  # the tallest ones of a picture; more of a like size are a pattern
MINOR = 0.4  # of a line's height: smaller components found no line, they join one
NOISE_HEIGHT = 0.05  # of a line's height: smaller components are noise
OVERLAP = 0.4  # of the smaller of two components that stand in the same row
MIN_LINE_HEIGHT = 0.3  # lines of less than this part of the tallest line are noise
RULE = 12  # times as long as high: a rule, no writing
TILT = (2.0, 25.0)  # degrees: lines that rise less stay as they are, those that rise more too

Box = tuple[int, int, int, int]  # x, y, width, height in pixels


@dataclass(frozen=True)
class Line:
    """Writing that stands side by side.

    Attributes:
        foreground: (h, w) uint8, 0 background, 255 ink, turned upright.
        to_image: (2, 3), from its pixels to pixels of the foreground that it was found in.
    """

    foreground: np.ndarray
    to_image: np.ndarray

    @cached_property
    def components(self) -> tuple[np.ndarray, np.ndarray]:
        return components(self.foreground)

    def box_in_image(self, box: Box) -> np.ndarray:
        """Return left, top, right, bottom (4,) around a box of the line."""
        x, y, width, height = box
        corners = np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])
        placed = corners @ self.to_image[:, :2].T + self.to_image[:, 2]
        return np.concatenate((placed.min(axis=0), placed.max(axis=0)))


def components(foreground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (H, W), from 1, and left, top, width, height, area (n, 5) of each component."""
    mask = (foreground >= INK).view(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    return labels, stats[1:]


def whole(foreground: np.ndarray) -> Line:
    """Take a foreground (H, W) uint8 for one line, as it is."""
    x, y, width, height = cv2.boundingRect((foreground >= INK).view(np.uint8))
    return _scaled(foreground[y : y + height, x : x + width], (x, y), height, angle=0.0)


def find_lines(foreground: np.ndarray) -> list[Line]:
    """Find the lines of writing in a foreground (H, W) uint8, top to bottom; a pattern has none."""
    labels, stats = components(foreground)
    kept = np.argsort(-stats[:, 3], kind="stable")[:MAX_COMPONENTS]
    boxes, areas = stats[kept, :4].astype(np.float64), stats[kept, 4]
    is_rule = boxes[:, 2] > RULE * boxes[:, 3]
    if is_rule.all():
        return []
    heights, weights = boxes[~is_rule, 3], areas[~is_rule]
    height = np.quantile(heights, 0.5, weights=weights, method="inverted_cdf")
    if len(stats) > MAX_COMPONENTS and boxes[-1, 3] >= MINOR * height:
        return []  # the smallest of so many is no speck
    lines = []
    for members in _gather(boxes, height):
        highest = boxes[members, 3].max()
        tall = members[boxes[members, 3] >= MINOR * highest]
        visible = members[boxes[members, 2:].max(axis=1) >= NOISE_HEIGHT * highest]
        ends = (boxes[visible, :2] + boxes[visible, 2:]).max(axis=0).astype(int) + 1
        x, y = (boxes[visible, :2].min(axis=0).astype(int) - 1).clip(0).tolist()
        box = slice(y, ends[1]), slice(x, ends[0])
        is_member = np.zeros(len(stats) + 1, np.uint8)
        is_member[kept[visible] + 1] = 1
        # The soft edges of strokes are fainter than components.
        near = cv2.dilate(is_member[labels[box]], np.ones((3, 3), np.uint8))
        height = float(np.median(boxes[tall, 3]))
        lines.append(_scaled(foreground[box] * near, (x, y), height, _tilt(boxes[tall])))
    lines.sort(key=lambda line: line.to_image[1, 2])
    return lines


def _gather(boxes: np.ndarray, height: float) -> list[np.ndarray]:
    """Gather boxes (N, 4) into rows; return the indices of each row's members."""
    major = np.flatnonzero(boxes[:, 3] >= MINOR * height)
    tall = boxes[major]
    left, top = tall[:, 0], tall[:, 1]
    right, bottom = left + tall[:, 2], top + tall[:, 3]
    overlap = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    beside = overlap >= OVERLAP * np.minimum.outer(tall[:, 3], tall[:, 3])
    row = np.arange(len(major))
    while True:  # the least index spreads along each row
        least = np.where(beside, row, len(major)).min(axis=1)
        if (least == row).all():
            break
        row = least
    lowest = MIN_LINE_HEIGHT * tall[:, 3].max()
    members = {k: [major[row == k]] for k in np.unique(row) if tall[row == k, 3].max() >= lowest}
    in_row = np.isin(row, list(members))
    for minor in np.flatnonzero(boxes[:, 3] < MINOR * height):
        x, y, width, extent = boxes[minor]
        across = np.maximum(left - x - width, x - right).clip(0)
        along = np.maximum(top - y - extent, y - bottom).clip(0)
        distance = np.where(in_row, np.hypot(across, 2 * along), np.inf)
        nearest = int(distance.argmin())
        if distance[nearest] <= height:
            members[row[nearest]].append(np.array([minor]))
    return [np.concatenate(parts) for parts in members.values()]


def _scaled(crop: np.ndarray, corner: tuple[int, int], height: float, angle: float) -> Line:
    """Bound the size of a crop whose upper left corner lies at ``corner``, and turn it upright.

    ``height`` is that of its usual sign in pixels; ``angle`` is the line's slope in radians.
    """
    scale = min(1.0, MAX_HEIGHT / max(height, 1.0), MAX_WIDTH / max(crop.shape[1], 1))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
    rows, columns = crop.shape
    placed = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]]) @ matrix[:, :2].T
    matrix[:, 2] = -placed.min(axis=0)
    size = np.ceil(np.ptp(placed, axis=0)).astype(int).clip(1).tolist()
    if angle != 0:
        crop = cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_AREA)
    elif scale < 1:
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    to_image = cv2.invertAffineTransform(matrix)
    to_image[:, 2] += corner
    return Line(crop, to_image)


def _tilt(boxes: np.ndarray) -> float:
    """Return the slope of a line in radians: the median over pairs (Theil and Sen)."""
    if len(boxes) < 3:
        return 0.0
    centers = boxes[:, :2] + boxes[:, 2:] / 2
    first, second = np.triu_indices(len(boxes), 1)
    apart = centers[second] - centers[first]
    apart *= np.sign(apart[:, :1])
    far = apart[apart[:, 0] >= 0.5 * np.median(boxes[:, 3])]
    if len(far) == 0:
        return 0.0
    angle = float(np.median(np.arctan2(far[:, 1], far[:, 0])))
    return angle if TILT[0] <= abs(np.degrees(angle)) <= TILT[1] else 0.0
