from pathlib import Path

from app.front.texts import percent
from model.classifier import Classifier

MODEL = Path(__file__).parents[4] / "models" / "mnist-0.0.1.onnx"


def test_the_page_begins_with_the_question(open_page, full_api_url):
    visitor = open_page("results", url=full_api_url)
    assert "because it knows which pixels are neighbours?" in visitor.app.header[0].value


def test_every_model_stands_in_the_table_with_the_accuracy_of_its_card(open_page, full_api_url):
    visitor = open_page("results", url=full_api_url)
    accuracy = Classifier.load(MODEL).card.results.test_accuracy
    assert f"| CNN | {percent(accuracy, 'en')} |" in visitor.shown
    assert "| MLP, shuffled | 10.0" in visitor.shown


def test_every_figure_has_a_caption_and_an_alternative(open_page, full_api_url):
    visitor = open_page("results", url=full_api_url)
    images = [image.proto.imgs[0] for image in visitor.app.image]
    assert any("Errors lie off the diagonal" in image.caption for image in images)
    assert any("What each network misreads" in image.caption for image in images)
    assert all(image.alt for image in images)


def test_the_study_is_shown_with_mean_and_spread_and_in_plain_words(open_page, full_api_url):
    visitor = open_page("results", url=full_api_url)
    assert "| MLP | 98.10 ± 0.10 |" in visitor.shown
    assert "| CNN, shuffled | 97.10 ± 0.10 |" in visitor.shown
    assert "**MNIST\N{RIGHT SINGLE QUOTATION MARK}s test digits**" in visitor.shown


def test_where_there_is_no_study_the_page_says_which_command_makes_it(open_page, cnn_api_url):
    visitor = open_page("results", url=cnn_api_url)
    assert "bash run.sh compare" in visitor.shown
