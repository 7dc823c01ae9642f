import json

import pytest

from model.config import REPOSITORY


@pytest.fixture
def visitor(open_page, full_api_url):
    """Somebody who reads the results of a full API."""
    return open_page("results", url=full_api_url)


def test_the_page_begins_with_the_question_and_ends_with_the_words_explained(visitor):
    assert "because it knows which pixels are neighbours?" in visitor.app.header[0].value
    assert "small filters slide over the picture" in visitor.app.markdown[-1].value


def test_every_model_stands_in_the_table_with_the_accuracy_of_its_card(visitor):
    table = visitor.app.table[0].value
    assert list(table.index) == ["CNN", "CNN, shuffled", "MLP, shuffled"]
    assert table.iloc[0, 0].startswith("99.")
    assert table.iloc[1, 0].startswith("10.0")


def test_every_figure_has_a_caption_and_an_alternative(visitor):
    images = [image.proto.imgs[0] for image in visitor.app.image]
    assert any("Mistakes lie off the diagonal" in image.caption for image in images)
    assert any("What each network misreads" in image.caption for image in images)
    assert all(image.alt for image in images)


def test_the_study_is_shown_with_mean_and_spread_and_in_plain_words(visitor):
    table = visitor.app.table[1].value
    assert table.to_dict() == {
        "as they are": {"MLP": "98.10 ± 0.10", "CNN, shuffled": "97.10 ± 0.10"}
    }
    assert "**MNIST\N{RIGHT SINGLE QUOTATION MARK}s test digits**" in visitor.shown


def test_the_whole_study_of_the_repository_answers_the_question(open_page):
    visitor = open_page("results")
    study = json.loads((REPOSITORY / "models" / "comparison.json").read_text())
    assert visitor.app.markdown[0].value.startswith("Yes. A CNN reads 99.")
    assert len(visitor.app.table) == 1 + len({row["on"] for row in study["results"]})


def test_where_there_is_no_study_the_page_says_which_command_makes_it(open_page, cnn_api_url):
    assert "bash run.sh compare" in open_page("results", url=cnn_api_url).shown
