"""Print, in %, what one wrong label does to a writer's model, corrections alone, and five a digit.

PYTHONPATH=src python -m tests.support.wrong_labels MODEL FILE_OF_STROKES FOLDER_OF_PICTURES
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from model.adaptation import adapt
from model.card import find_model
from model.classifier import Classifier
from model.data.pictures import content, draw_pictures, load_pictures
from model.data.strokes import read_strokes
from model.hand import authors_of_enough
from model.preprocessing.normalize import preprocess
from model.reading import read_images


def digits_of(table: pd.DataFrame) -> pd.DataFrame:
    digits = table[table["label"].str.len() == 1]
    pictures = digits["data"].map(content).map(preprocess)
    return digits.assign(digit=digits["label"].astype(int), picture=pictures)


def score(classifier: Classifier, digits: pd.DataFrame) -> dict[str, float]:
    found = [reading.prediction for reading in read_images(classifier, digits["picture"].tolist())]
    right = digits["digit"].to_numpy() == [one.digit for one in found]
    accepted = np.array([one.is_digit for one in found])
    shares = [right.mean(), (right & accepted).mean(), (~right & accepted).mean()]
    return dict(zip(["right", "right, accepted", "wrong, accepted"], shares, strict=True))


def main(model: str, strokes: str, folder: str) -> None:
    trained = Classifier.load(find_model(model))
    written = digits_of(draw_pictures(read_strokes(Path(strokes)), 0))
    others = digits_of(load_pictures(Path(folder)))
    rows = []
    for number, writer in enumerate(tqdm(authors_of_enough(written, 5) * 3)):
        own, rng = written[written["author"] == writer], np.random.default_rng(number)
        five = own.groupby("digit").sample(5, random_state=rng)
        tapped = five.index == rng.choice(five.index)
        wrong = five.assign(digit=(five["digit"] + tapped * rng.integers(1, 10)) % 10)
        read = [one.prediction.digit for one in read_images(trained, five["picture"].tolist())]
        lessons = {"one wrong": wrong[tapped], "five, one wrong": wrong, "five": five}
        lessons |= {"misread": five[five["digit"] != read], "none": five[:0]}
        for name, lesson in lessons.items():
            images, labels = [one.image for one in lesson["picture"]], lesson["digit"].to_numpy()
            taught = adapt(trained, np.stack(images), labels) if images else trained
            rows.append({"taught": name, "writer": writer, **score(taught, own.drop(five.index))})
            if name in ("none", "one wrong") and number < 30:  # so many draws are enough
                rows[-1]["wrong, others"] = score(taught, others)["wrong, accepted"]
    writers = pd.DataFrame(rows).groupby(["taught", "writer"]).mean()
    print((100 * writers).groupby("taught").agg(["mean", "min", "max"]).T.round(2).to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])
