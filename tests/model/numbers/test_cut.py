import cv2
import numpy as np

from model.numbers.cut import Piece, cut_line, stroke_width
from model.numbers.find import Component, Line

HEIGHT = 64.0


def cut(*components: Component) -> list[Piece]:
    return cut_line(Line(list(components), HEIGHT, np.eye(2, 3)))


def rings(*centers: int) -> Component:
    """Rings 52 wide and 64 high, side by side; they touch where their centres are 52 apart."""
    foreground = np.zeros((70, max(centers) + 40), dtype=np.uint8)
    for x in centers:
        cv2.ellipse(foreground, (x, 35), (23, 29), 0, 0, 360, 255, 6)
    x, y, width, height = cv2.boundingRect(foreground)
    return Component(foreground[y : y + height, x : x + width], x, y)


def test_pieces_share_out_the_ink_of_their_component():
    component = rings(40, 92, 144)
    whole = np.zeros((80, 200), dtype=int)
    pieces = cut(component)
    assert len(pieces) > 2 and {piece.component for piece in pieces} == {0}
    for piece in pieces:
        whole[piece.y : piece.bottom, piece.x : piece.right] += piece.foreground
    box = np.s_[component.y :, component.x :]
    rows, columns = component.foreground.shape
    assert (whole[box][:rows, :columns] == component.foreground).all()
    assert whole.sum() == component.foreground.sum(dtype=int)


def test_what_is_as_narrow_as_a_1_stays_whole():
    one = Component(np.full((64, 12), 255, dtype=np.uint8), 3, 4)
    (piece,) = cut(one)
    assert (piece.x, piece.y, piece.foreground.shape) == (3, 4, (64, 12))


def test_the_stroke_width_is_that_of_the_pen():
    for pen in (3, 6, 11):
        foreground = np.zeros((80, 80), dtype=np.uint8)
        foreground[30 : 30 + pen, 5:75] = 255
        line = Line([Component(foreground, 0, 0)], HEIGHT, np.eye(2, 3))
        assert abs(stroke_width(line) - pen) <= 1.2
