import json

import pytest

from model.config import REPOSITORY


@pytest.fixture
def visitor(open_page):
    """Somebody who reads the results."""
    return open_page("results")


def test_the_page_answers_the_question_and_explains_its_words(visitor):
    assert "because it knows which pixels are neighbours?" in visitor.app.header[0].value
    assert visitor.app.markdown[0].value.startswith("Yes. A CNN reads 99.")
    assert "find the shuffled order again" in visitor.app.markdown[1].value
    assert "small filters slide over the picture" in visitor.app.markdown[-1].value


def test_every_model_stands_in_the_table_with_the_accuracy_of_its_card(visitor):
    accuracies = visitor.app.table[0].value.iloc[:, 0]
    assert set(accuracies.index) == {"CNN", "Deep CNN", "MLP", "CNN, shuffled", "MLP, shuffled"}
    assert all(97 < float(accuracy[:4]) < 100 for accuracy in accuracies)


def test_the_study_is_shown_with_mean_and_spread_in_plain_words(visitor):
    study = json.loads((REPOSITORY / "models" / "comparison.json").read_text())
    tables = visitor.app.table[1:]
    assert len(tables) == len({row["on"] for row in study["results"]})
    assert "**MNIST\N{RIGHT SINGLE QUOTATION MARK}s test digits**" in visitor.shown
    assert " ± " in tables[0].value.loc["CNN, shuffled", "as they are"]


def test_every_figure_has_a_caption_and_an_alternative(visitor):
    images = [image.proto.imgs[0] for image in visitor.app.image]
    assert any("Mistakes lie off the diagonal" in image.caption for image in images)
    assert any("What each network misreads" in image.caption for image in images)
    assert all(image.alt for image in images)


def test_where_there_is_no_study_the_page_says_which_command_makes_it(open_page, cnn_api_url):
    assert "bash run.sh compare" in open_page("results", url=cnn_api_url).shown
