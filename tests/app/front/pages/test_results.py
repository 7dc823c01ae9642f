from pathlib import Path

from app.front.texts import percent
from model.classifier import Classifier

MODEL = Path(__file__).parents[4] / "models" / "mnist-0.0.1.onnx"


def test_every_model_stands_in_the_table_with_the_accuracy_of_its_card(open_page, full_api_url):
    visitor = open_page("results", url=full_api_url)
    accuracy = Classifier.load(MODEL).card.results.test_accuracy
    assert f"| cnn | {percent(accuracy, 'en')} |" in visitor.shown
    assert "| mlp-permuted | 10.0" in visitor.shown


def test_the_chosen_model_s_card_is_told_in_words_with_its_figures(open_page, full_api_url):
    visitor = open_page("results", url=full_api_url)
    assert "**cnn** (two convolutions)" in visitor.shown
    images = [image.proto.imgs[0] for image in visitor.app.image]
    assert any("Confusion matrix" in image.alt for image in images)
    assert all(image.alt for image in images)


def test_the_study_is_shown_with_mean_and_spread(open_page, full_api_url):
    visitor = open_page("results", url=full_api_url)
    assert "| mlp, in order | 98.10 ± 0.10 |" in visitor.shown
    assert "| cnn, permuted | 97.10 ± 0.10 |" in visitor.shown
    captions = [image.proto.imgs[0].caption for image in visitor.app.image]
    assert any("What each network misreads" in caption for caption in captions)


def test_where_there_is_no_study_the_page_says_which_command_makes_it(open_page, cnn_api_url):
    visitor = open_page("results", url=cnn_api_url)
    assert "bash run.sh compare" in visitor.shown


def test_about_names_the_versions_of_page_and_models(open_page, full_api_url):
    import streamlit

    visitor = open_page("about", url=full_api_url)
    assert f"| streamlit | {streamlit.__version__} |" in visitor.shown
    assert "Model cnn 0.0.1" in visitor.shown
    assert "What it cannot do" in visitor.shown
