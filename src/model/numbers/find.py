"""Where the lines of writing are: connected components, gathered into lines and set upright."""

from dataclasses import dataclass

import cv2
import numpy as np

FOREGROUND = 96  # grey levels from which a pixel belongs to a component
WORKING_HEIGHT = 64.0  # pixels of a line's usual digit, to which every line is scaled ...
MAX_ENLARGED = 3.0  # ... but at most so many times larger
MAX_COMPONENTS = 150  # the tallest ones of a picture; more of a like size are a pattern
MINOR = 0.4  # of a line's height: smaller components found no line, they join one
NOISE_HEIGHT = 0.05  # of a line's height: smaller components are noise
MAX_GAP = 2.5  # heights between the digits of one line
MIN_LINE_HEIGHT = 0.3  # lines of less than this part of the tallest line are noise
TILT = (2.0, 25.0)  # degrees: lines that rise less stay as they are, those that rise more too

Box = tuple[int, int, int, int]  # x, y, width, height in pixels


@dataclass(frozen=True)
class Component:
    """Connected ink of a line.

    Attributes:
        foreground: (height, width) uint8, 0 background, 255 ink.
        x, y: its upper left corner in the line's own pixels.
    """

    foreground: np.ndarray
    x: int
    y: int

    @property
    def box(self) -> Box:
        """Its place in the line."""
        return self.x, self.y, self.foreground.shape[1], self.foreground.shape[0]

    @property
    def right(self) -> int:
        """One past its last column."""
        return self.x + int(self.foreground.shape[1])

    @property
    def bottom(self) -> int:
        """One past its last row."""
        return self.y + len(self.foreground)

    @classmethod
    def crop(cls, foreground: np.ndarray, x: int, y: int) -> "Component | None":
        """Return what ink there is in an array whose corner lies at (x, y); None without any."""
        left, top, width, height = cv2.boundingRect(foreground)
        if width == 0:
            return None
        return cls(foreground[top : top + height, left : left + width], x + left, y + top)


@dataclass(frozen=True)
class Line:
    """Components that stand side by side, scaled and turned upright.

    Attributes:
        components: in no particular order.
        height: the height of a digit, in pixels of the line.
        to_image: (2, 3), from pixels of the line to pixels of the picture.
    """

    components: list[Component]
    height: float
    to_image: np.ndarray

    def box_in_image(self, box: Box) -> Box:
        """Return the upright box in the picture around a box of the line."""
        x, y, width, height = box
        corners = np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])
        placed = corners @ self.to_image[:, :2].T + self.to_image[:, 2]
        low, high = np.floor(placed.min(axis=0)), np.ceil(placed.max(axis=0))
        left, top, right, bottom = (int(value) for value in (*low, *high))
        return left, top, right - left, bottom - top


def find_lines(foreground: np.ndarray) -> list[Line]:
    """Find the lines of writing in a foreground, from top to bottom; a pattern has none.

    Args:
        foreground: (H, W) uint8, 0 background, 255 ink.
    """
    mask = (foreground >= FOREGROUND).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return []
    kept = 1 + np.argsort(-stats[1:, cv2.CC_STAT_HEIGHT], kind="stable")[:MAX_COMPONENTS]
    boxes = stats[kept, :4].astype(np.float64)  # x, y, width, height
    areas = stats[kept, cv2.CC_STAT_AREA].astype(np.float64)
    height = _weighted_median(boxes[:, 3], areas)
    if count > MAX_COMPONENTS and boxes[-1, 3] >= MINOR * height:
        return []  # the smallest of so many is no speck
    lines = []
    for members in _gather(boxes, height):
        tall = members[boxes[members, 3] >= MINOR * boxes[members, 3].max()]
        line_height = _weighted_median(boxes[tall, 3], areas[tall])
        visible = members[boxes[members, 2:].max(axis=1) >= NOISE_HEIGHT * line_height]
        line = _upright(foreground, labels, kept[visible], boxes[visible], line_height)
        if line.components:  # none where a stroke is too fine to be seen when it is scaled down
            lines.append(line)
    lines.sort(key=lambda line: line.to_image[1, 2])
    return lines


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _gather(boxes: np.ndarray, height: float) -> list[np.ndarray]:
    """Gather boxes (N, 4) into lines; returns the indices of each line's members."""
    major = np.flatnonzero(boxes[:, 3] >= MINOR * height)
    tall = boxes[major]
    left, top = tall[:, 0], tall[:, 1]
    right, bottom = left + tall[:, 2], top + tall[:, 3]
    gap = np.maximum(left[:, None], left) - np.minimum(right[:, None], right)
    overlap = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    smaller = np.minimum(tall[:, None, 3], tall[:, 3])
    beside = (gap <= MAX_GAP * smaller) & (overlap >= 0.4 * smaller)
    line = np.arange(len(major))
    while True:  # the least index spreads along each line
        least = np.where(beside, line, len(major)).min(axis=1)
        if (least == line).all():
            break
        line = least
    tallest = tall[:, 3].max()
    members = {k: [major[line == k]] for k in np.unique(line)}
    lowest = MIN_LINE_HEIGHT * tallest
    members = {k: m for k, m in members.items() if boxes[m[0], 3].max() >= lowest}
    in_line = np.isin(line, list(members))
    for minor in np.flatnonzero(boxes[:, 3] < MINOR * height):
        x, y, width, extent = boxes[minor]
        across = np.maximum(left - x - width, x - right).clip(0)
        along = np.maximum(top - y - extent, y - bottom).clip(0)
        distance = np.where(in_line, np.hypot(across, 2 * along), np.inf)
        nearest = int(distance.argmin())
        if distance[nearest] <= height:
            members[line[nearest]].append(np.array([minor]))
    return [np.concatenate(parts) for parts in members.values()]


def _upright(
    foreground: np.ndarray, labels: np.ndarray, names: np.ndarray, boxes: np.ndarray, height: float
) -> Line:
    """Cut the components `names` out of the picture, scale and turn them."""
    scale = min(MAX_ENLARGED, WORKING_HEIGHT / height)
    angle = _tilt(boxes[boxes[:, 3] >= MINOR * height])
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    to_line = np.array([[cos, sin, 0.0], [-sin, cos, 0.0]])
    corner = boxes[:, :2].min(axis=0)
    to_line[:, 2] = -to_line[:, :2] @ corner
    components = [
        _component(foreground, labels, name, box.astype(int), to_line, scale, turned=angle != 0)
        for name, box in zip(names, boxes, strict=True)
    ]
    visible = [component for component in components if component is not None]
    return Line(visible, height * scale, cv2.invertAffineTransform(to_line))


def _component(
    foreground: np.ndarray,
    labels: np.ndarray,
    name: int,
    box: np.ndarray,
    to_line: np.ndarray,
    scale: float,
    turned: bool,
) -> Component | None:
    """Cut out one component with the soft edge of its strokes, and bring it into the line."""
    margin = 1
    x, y = np.maximum(box[:2] - margin, 0)
    right, bottom = box[:2] + box[2:] + margin
    part = labels[y:bottom, x:right]
    is_member = cv2.dilate((part == name).astype(np.uint8), np.ones((3, 3), np.uint8))
    is_member = (is_member == 1) & ((part == 0) | (part == name))
    crop = np.where(is_member, foreground[y:bottom, x:right], 0)
    place = np.array([[x, y]]) @ to_line[:, :2].T + to_line[:, 2]
    if turned:
        corners = np.array([[x, y], [right, y], [x, bottom], [right, bottom]])
        placed = corners @ to_line[:, :2].T + to_line[:, 2]
        low = np.floor(placed.min(axis=0))
        size = np.ceil(placed.max(axis=0) - low).astype(int)
        turn = np.column_stack([to_line[:, :2] / scale, place[0] - low])
        crop = cv2.warpAffine(_resize(crop, scale), turn, size.tolist())
    else:
        low = np.round(place[0])
        crop = _resize(crop, scale)
    return Component.crop(crop, int(low[0]), int(low[1]))


def _resize(crop: np.ndarray, scale: float) -> np.ndarray:
    size = [max(1, round(length * scale)) for length in crop.shape[::-1]]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(crop, size, interpolation=interpolation)


def _tilt(boxes: np.ndarray) -> float:
    """Return the slope of a line in radians: the median over pairs (Theil and Sen)."""
    if len(boxes) < 3:
        return 0.0
    centers = boxes[:, :2] + boxes[:, 2:] / 2
    first, second = np.triu_indices(len(boxes), 1)
    apart = centers[second] - centers[first]
    apart *= np.sign(apart[:, :1])
    far = apart[:, 0] >= 0.5 * np.median(boxes[:, 3])
    if not far.any():
        return 0.0
    angle = float(np.median(np.arctan2(apart[far, 1], apart[far, 0])))
    return angle if TILT[0] <= abs(np.degrees(angle)) <= TILT[1] else 0.0
