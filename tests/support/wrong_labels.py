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
    pictures = [preprocess(content(data)) for data in digits["data"]]
    return digits.assign(label=digits["label"].astype(int), picture=pictures)


def score(classifier: Classifier, digits: pd.DataFrame) -> dict[str, float]:
    found = [reading.prediction for reading in read_images(classifier, digits["picture"].tolist())]
    right = digits["label"].to_numpy() == [one.digit for one in found]
    accepted = np.array([one.is_digit for one in found])
    shares = {"right": right, "right, accepted": right & accepted, "wrong": ~right & accepted}
    return {name: 100 * share.mean() for name, share in shares.items()}


def main(model: str, strokes: str, folder: str) -> None:
    trained = Classifier.load(find_model(model))
    written = digits_of(draw_pictures(read_strokes(Path(strokes)), 0))
    others = digits_of(load_pictures(Path(folder)))
    print("other people's pictures, before:", *score(trained, others).items())
    rows = []
    for number, writer in enumerate(tqdm(authors_of_enough(written, 5) * 3)):
        own, rng = written[written["author"] == writer], np.random.default_rng(number)
        five = own.groupby("label").sample(5, random_state=rng)
        tapped = five.index == rng.choice(five.index)
        wrong = five.assign(label=(five["label"] + tapped * rng.integers(1, 10)) % 10)
        read = [one.prediction.digit for one in read_images(trained, five["picture"].tolist())]
        misread = five[five["label"] != read]
        lessons = {"one wrong": wrong[tapped], "five, one wrong": wrong, "misread": misread}
        for name, lesson in {"none": five[:0], **lessons, "five": five}.items():
            images, labels = [one.image for one in lesson["picture"]], lesson["label"].to_numpy()
            taught = adapt(trained, np.stack(images), labels) if images else trained
            rows.append({"taught": name, "writer": writer, **score(taught, own.drop(five.index))})
            if name == "one wrong":
                rows[-1]["wrong, others"] = score(taught, others)["wrong"]
    writers = pd.DataFrame(rows).groupby(["taught", "writer"]).mean()
    print(writers.groupby("taught").agg(["mean", "min", "max"]).T.round(2).to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])
